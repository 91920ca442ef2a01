import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { quoteList } from '../../../../lib/table/identifier.ts'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { valuesOf, write } from '../../../support/writing.ts'

type Row = Record<string, unknown>

interface Change {
  readonly op: 'upsert' | 'delete'
  readonly row: Row
}

/** A table, and the values of each of its columns; with `undefined` among them the key may be missing. */
interface Case {
  readonly title: string
  /** DDL with `%` for the table's name. */
  readonly ddl: string
  readonly keys: Readonly<Record<string, readonly unknown[]>>
  readonly others: Readonly<Record<string, readonly unknown[]>>
  readonly target?: OnConflict['target']
  /** No deletes, because these need stored keys. */
  readonly upsertsOnly?: boolean
  /** The columns that are compared; all of them by default. */
  readonly compared?: string
}

const V = [1, 2, null, undefined]
const W = ['a', 'ä', null, undefined]

const CASES: readonly Case[] = [
  {
    title: 'an int key',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, v int DEFAULT 7, w text)`,
    keys: { k: [1, 2, 3] },
    others: { v: V, w: W },
  },
  {
    title: 'a citext key, whose first spelling stays',
    ddl: `CREATE TABLE % (k citext PRIMARY KEY, v int, w text DEFAULT 'none')`,
    keys: { k: ['a', 'A', 'b'] },
    others: { v: V, w: W },
  },
  {
    title: 'a numeric key, whose first scale stays',
    ddl: `CREATE TABLE % (k numeric PRIMARY KEY, v int, w text)`,
    keys: { k: ['1', '1.0', '1.00', '2'] },
    others: { v: V, w: W },
  },
  {
    title: 'a key that may be NULL',
    ddl: `CREATE TABLE % (a int, k text, v int, w text DEFAULT 'none', UNIQUE (a, k))`,
    keys: { a: [1, 2, null], k: ['x', 'y', null] },
    others: { v: V, w: W },
    upsertsOnly: true,
  },
  {
    title: 'a key with a constant DEFAULT',
    ddl: `CREATE TABLE % (a int, k text DEFAULT 'd', v int DEFAULT 7, w text, UNIQUE (k, a))`,
    keys: { a: [1, 2], k: ['x', 'd', undefined] },
    others: { v: V, w: W },
    upsertsOnly: true,
  },
  {
    title: 'a key of a non-default operator class',
    ddl: `CREATE TABLE % (k text, v int, w text DEFAULT 'none');
      CREATE UNIQUE INDEX ON % (k text_pattern_ops)`,
    keys: { k: ['a', 'A', 'b'] },
    others: { v: V, w: W },
  },
  {
    title: 'a trigger that changes keys and leaves rows out',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, v int DEFAULT 7, w text);
      CREATE TRIGGER changes BEFORE INSERT ON % FOR EACH ROW EXECUTE FUNCTION changes()`,
    keys: { k: [1, 2, 11, 12, 13] },
    others: { v: V, w: W },
  },
  {
    title: 'a trigger that counts updates',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, v int DEFAULT 7, w text, n int NOT NULL DEFAULT 0);
      CREATE TRIGGER counts BEFORE UPDATE ON % FOR EACH ROW EXECUTE FUNCTION counts()`,
    keys: { k: [1, 2, 3] },
    others: { v: V, w: W },
  },
  {
    title: 'partitions, one with a trigger',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, v int DEFAULT 7, w text) PARTITION BY RANGE (k);
      CREATE TABLE %_low PARTITION OF % FOR VALUES FROM (0) TO (10);
      CREATE TABLE %_high PARTITION OF % FOR VALUES FROM (10) TO (100);
      CREATE TRIGGER counts BEFORE UPDATE ON %_high FOR EACH ROW EXECUTE FUNCTION doubles()`,
    keys: { k: [1, 2, 11, 12] },
    others: { v: V, w: W },
  },
  {
    title: 'a serial column beside the key',
    ddl: `CREATE TABLE % (id serial UNIQUE, k text PRIMARY KEY, v int, w text DEFAULT 'none')`,
    keys: { k: ['x', 'y', 'z'] },
    others: { v: V, w: W },
    compared: 'k, v, w',
  },
  {
    title: 'a serial key that rows may leave to the sequence',
    ddl: `CREATE TABLE % (k serial PRIMARY KEY, v int DEFAULT 7, w text)`,
    keys: { k: [1001, 1002, undefined] },
    others: { v: V, w: W },
    upsertsOnly: true,
    compared: 'v, w',
  },
  {
    title: 'a second unique key, whose values rows hand on',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, u int UNIQUE DEFERRABLE, v int DEFAULT 7, w text)`,
    keys: { k: [1, 2, 3] },
    others: { v: V, w: W },
  },
  {
    title: 'a generated column',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, v int DEFAULT 7, w text,
      g int GENERATED ALWAYS AS (v * 2) STORED)`,
    keys: { k: [1, 2, 3] },
    others: { v: V, w: W },
  },
  {
    title: 'a view',
    ddl: `CREATE TABLE %_t (k int PRIMARY KEY, v int DEFAULT 7, w text);
      CREATE VIEW % AS SELECT k, v, w FROM %_t`,
    keys: { k: [1, 2, 3] },
    others: { v: V, w: W },
  },
]

type Conflict = { readonly action: 'update' | 'nothing'; readonly update?: readonly string[] }

const CONFLICTS: readonly Conflict[] = [
  { action: 'update' },
  { action: 'update', update: ['v'] },
  { action: 'nothing' },
]

const WAYS = [
  { method: 'copy', copyFormat: 'auto' },
  { method: 'copy', copyFormat: 'text' },
  { method: 'insert' },
] as const

function changesOf({ keys, others, upsertsOnly }: Case, deletes: boolean): fc.Arbitrary<Change[][]> {
  const fields = (columns: Case['keys']) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, fc.constantFrom(...values)]))
  const row = fc.record({ ...fields(keys), ...fields(others) }).map(withoutUndefined)
  const upsert = row.map((row): Change => ({ op: 'upsert', row }))
  const deletion = fc
    .record(fields(keys))
    .map((row): Change => ({ op: 'delete', row: withoutUndefined(row) }))
  const change =
    deletes && !upsertsOnly
      ? fc.oneof({ weight: 3, arbitrary: upsert }, { weight: 1, arbitrary: deletion })
      : upsert
  return fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })
}

function withoutUndefined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
}

/**
 * Runs one statement for each change, which names the columns of its row; returns how many rows they changed.
 */
async function changeOneByOne(
  pool: pg.Pool,
  table: string,
  changes: readonly Change[],
  keys: readonly string[],
  { action, update }: Conflict,
): Promise<number> {
  let changed = 0
  for (const { op, row } of changes) {
    const columns = Object.keys(row)
    const values = Object.values(row)
    const set = columns.filter(column => !keys.includes(column) && (!update || update.includes(column)))
    const sets = set.map(column => `${column} = excluded.${column}`)
    const then = action === 'update' && set.length > 0 ? `UPDATE SET ${sets.join(', ')}` : 'NOTHING'
    const into =
      columns.length === 0
        ? 'DEFAULT VALUES'
        : `(${quoteList(columns)}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`
    const text =
      op === 'delete'
        ? `DELETE FROM ${table} WHERE ${keys.map(key => `${key} = $${columns.indexOf(key) + 1}`).join(' AND ')}`
        : `INSERT INTO ${table} ${into} ON CONFLICT (${quoteList(keys)}) DO ${then}`
    changed += (await pool.query(text, values)).rowCount ?? 0
  }
  return changed
}

const RUNS = Math.max(7, thorough(20))

describe('upserts leave what one INSERT … ON CONFLICT for each row would', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE EXTENSION citext;
      CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF new.k = 13 THEN RETURN NULL; END IF; new.k := new.k % 10; RETURN new; END';
      CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.n := old.n + 1; RETURN new; END';
      CREATE FUNCTION doubles() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.v := coalesce(old.v, 0) * 2 + coalesce(new.v, 1); RETURN new; END'`),
  )

  for (const one of CASES) {
    const keys = Object.keys(one.keys)
    const compared = one.compared ?? '*'
    for (const conflict of CONFLICTS) {
      for (const way of WAYS) {
        it(`${one.title}: ${JSON.stringify({ ...conflict, ...way })}`, async () => {
          const { pool } = makePool()
          let runs = 0
          let turns = 0
          for (const table of ['ours', 'theirs']) {
            await db.pool.query(`${dropOf(table)}; ${one.ddl.replaceAll('%', table)}`)
          }
          await fc.assert(
            fc.asyncProperty(changesOf(one, conflict.action === 'update'), async batches => {
              runs++
              await db.pool.query('DELETE FROM ours; DELETE FROM theirs')
              const deletes = batches.flat().some(({ op }) => op === 'delete')
              const { stats } = await write<Change, Row>(batches, {
                pool,
                table: 'ours',
                toRow: ({ row }) => row,
                ...(conflict.action === 'update' ? { operation: ({ op }: Change) => op } : {}),
                onConflict: { target: keys, ...conflict },
                ...way,
              })
              const changed = await changeOneByOne(db.pool, 'theirs', batches.flat(), keys, conflict)
              const texts = (table: string) =>
                valuesOf(db.pool, `SELECT r::text FROM (SELECT ${compared} FROM ${table}) r ORDER BY 1`)
              expect(await texts('ours')).to.deep.equal(await texts('theirs'))
              expect(stats.rowsCommitted).to.equal(changed)
              if (deletes || changed < batches.flat().length) turns++
            }),
            { numRuns: RUNS },
          )
          expect(runs).to.be.at.least(RUNS)
          expect(turns).to.be.at.least(1)
        })
      }
    }
  }
})

/** Dropping a table drops its views. */
function dropOf(table: string): string {
  return `DO $$ BEGIN IF EXISTS (SELECT FROM pg_class WHERE relname = '${table}' AND relkind = 'v')
    THEN DROP VIEW ${table}; END IF; DROP TABLE IF EXISTS ${table}, ${table}_t CASCADE; END $$`
}
