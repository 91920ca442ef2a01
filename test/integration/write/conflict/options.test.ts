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

/** A table, and how the oracle names its key. */
interface Case {
  readonly title: string
  /** DDL with `%` for the table's name. Every table has the columns v, w, at and hits. */
  readonly ddl: string
  readonly keys: Readonly<Record<string, readonly unknown[]>>
  /** Values of the other columns; `undefined` among them means that the key may be missing. */
  readonly others?: Readonly<Record<string, readonly unknown[]>>
  readonly target: OnConflict['target']
  /** What the oracle writes after ON CONFLICT, with `%` for the table's name. */
  readonly arbiter: string
  /** The columns that an update does not set by default. */
  readonly keyColumns: readonly string[]
  /** The condition that `stored` has the key of `given`, for deletes and updates. */
  readonly isSame: string
  readonly upsertsOnly?: boolean
}

const REST = `v int DEFAULT 7, w text, at int, hits int NOT NULL DEFAULT 1`
const OTHERS = {
  v: [1, 2, null, undefined],
  w: ['a', 'ä', null, undefined],
  at: [1, 2, 3, 4, null, undefined],
  hits: [0, 5, undefined],
}

const CASES: readonly Case[] = [
  {
    title: 'an int key',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, ${REST})`,
    keys: { k: [1, 2, 3] },
    target: ['k'],
    arbiter: '(k)',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
  },
  {
    title: 'a citext key, by its constraint',
    ddl: `CREATE TABLE % (k citext, ${REST}, CONSTRAINT %_named UNIQUE (k))`,
    keys: { k: ['a', 'A', 'b', null] },
    target: { constraint: '%_named' },
    arbiter: 'ON CONSTRAINT %_named',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
    upsertsOnly: true,
  },
  {
    title: 'a numeric key, by its index',
    ddl: `CREATE TABLE % (k numeric(6,2), ${REST}); CREATE UNIQUE INDEX %_named ON % (k)`,
    keys: { k: ['1', '1.004', '2', '2.00'] },
    target: { index: '%_named' },
    arbiter: '(k)',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
  },
  {
    title: 'two columns, the second with a DEFAULT',
    ddl: `CREATE TABLE % (a int, k text DEFAULT 'd', ${REST}, UNIQUE (a, k))`,
    keys: { a: [1, 2, null], k: ['x', 'd', undefined] },
    target: ['a', 'k'],
    arbiter: '(a, k)',
    keyColumns: ['a', 'k'],
    isSame: 'stored.a = given.a AND stored.k = given.k',
    upsertsOnly: true,
  },
  {
    title: 'NULLS NOT DISTINCT',
    ddl: `CREATE TABLE % (a int, k int, ${REST}, UNIQUE NULLS NOT DISTINCT (a, k))`,
    keys: { a: [1, null], k: [1, null] },
    target: ['a', 'k'],
    arbiter: '(a, k)',
    keyColumns: ['a', 'k'],
    isSame: 'stored.a IS NOT DISTINCT FROM given.a AND stored.k IS NOT DISTINCT FROM given.k',
    upsertsOnly: true,
  },
  {
    title: 'a partial index',
    ddl: `CREATE TABLE % (id serial PRIMARY KEY, k text, ended boolean DEFAULT false, ${REST});
      CREATE UNIQUE INDEX %_named ON % (k) WHERE NOT ended`,
    keys: { k: ['x', 'y', null] },
    others: { ended: [true, false, undefined] },
    target: { index: '%_named' },
    arbiter: '(k) WHERE NOT ended',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k AND NOT stored.ended',
  },
  {
    title: 'an index of an expression and a column',
    ddl: `CREATE TABLE % (id serial PRIMARY KEY, a int, k text, ${REST});
      CREATE UNIQUE INDEX %_named ON % (lower(k), a)`,
    keys: { a: [1, 2], k: ['x', 'X', 'y'] },
    target: { index: '%_named' },
    arbiter: '(lower(k), a)',
    keyColumns: ['a'],
    isSame: 'lower(stored.k) = lower(given.k) AND stored.a = given.a',
  },
  {
    title: 'a generated column',
    ddl: `CREATE TABLE % (id serial PRIMARY KEY, k text, ${REST},
      g text GENERATED ALWAYS AS (upper(k)) STORED, CONSTRAINT %_named UNIQUE (g))`,
    keys: { k: ['x', 'X', 'y'] },
    target: ['g'],
    arbiter: '(g)',
    keyColumns: ['g'],
    isSame: 'stored.g = upper(given.k)',
  },
  {
    title: 'partitions',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, ${REST}) PARTITION BY RANGE (k);
      CREATE TABLE %_low PARTITION OF % FOR VALUES FROM (0) TO (10);
      CREATE TABLE %_high PARTITION OF % FOR VALUES FROM (10) TO (100)`,
    keys: { k: [1, 2, 11, 12] },
    target: ['k'],
    arbiter: '(k)',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
  },
  {
    title: 'a trigger that changes keys and leaves rows out',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, ${REST});
      CREATE TRIGGER changes BEFORE INSERT ON % FOR EACH ROW EXECUTE FUNCTION changes()`,
    keys: { k: [1, 2, 11, 12, 13] },
    target: ['k'],
    arbiter: '(k)',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
  },
  {
    title: 'a trigger that counts updates',
    ddl: `CREATE TABLE % (k int PRIMARY KEY, ${REST}, n int NOT NULL DEFAULT 0);
      CREATE TRIGGER counts BEFORE UPDATE ON % FOR EACH ROW EXECUTE FUNCTION counts()`,
    keys: { k: [1, 2, 3] },
    target: ['k'],
    arbiter: '(k)',
    keyColumns: ['k'],
    isSame: 'stored.k = given.k',
  },
]

type Options = Omit<OnConflict, 'target' | 'action'>

const OPTIONS: fc.Arbitrary<Options> = fc
  .record({
    mode: fc.constantFrom<Options['mode'][]>(undefined, undefined, 'upsert', 'update-only'),
    update: fc.constantFrom<Options['update'][]>(
      undefined,
      undefined,
      ['v', 'at'],
      { hits: 'stored.hits + excluded.hits' },
      { v: 'excluded.v', w: "concat(stored.w, '-', excluded.w)", at: 'greatest(excluded.at, stored.at)' },
    ),
    newerBy: fc.constantFrom(undefined, undefined, 'at'),
    onlyIfChanged: fc.constantFrom(undefined, false, true),
    where: fc.constantFrom(
      undefined,
      undefined,
      'excluded.v IS DISTINCT FROM 2 -- a comment',
      'stored.hits < 9',
    ),
  })
  .map(withoutUndefined)

const WAYS = [
  { method: 'copy', copyFormat: 'auto' },
  { method: 'copy', copyFormat: 'text' },
  { method: 'insert' },
] as const

function changesOf({ keys, others, upsertsOnly }: Case): fc.Arbitrary<Change[][]> {
  const fields = (columns: Case['keys']) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, fc.constantFrom(...values)]))
  const row = fc.record({ ...fields(keys), ...fields({ ...OTHERS, ...others }) }).map(withoutUndefined)
  const upsert = row.map((row): Change => ({ op: 'upsert', row }))
  const known = Object.entries(keys).map(([name, values]) => [name, values.filter(value => value != null)])
  const deletion = fc
    .record({ ...fields(Object.fromEntries(known)), at: fc.constantFrom(1, 2, 3, 4, null) })
    .map((row): Change => ({ op: 'delete', row }))
  const change = fc.oneof({ weight: 4, arbitrary: upsert }, { weight: 1, arbitrary: deletion })
  const some = fc.oneof(fc.array(upsert, { minLength: 1, maxLength: 12 }), fc.array(change, { minLength: 1 }))
  return fc.array(upsertsOnly ? fc.array(upsert, { minLength: 1 }) : some, { minLength: 1, maxLength: 3 })
}

function withoutUndefined<T extends object>(row: T): T {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as T
}

/** What the oracle knows about a column. */
interface OracleColumn {
  readonly type: string
  readonly fallback: string | null
}

class Oracle {
  readonly #pool: pg.Pool
  readonly #case: Case
  readonly #columns: ReadonlyMap<string, OracleColumn>

  static async on(pool: pg.Pool, one: Case): Promise<Oracle> {
    const columns = await valuesOf(
      pool,
      `SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = 'theirs'::regclass AND attnum > 0 AND attgenerated = ''`,
    )
    return new Oracle(
      pool,
      one,
      new Map(columns.map(([name, type, fallback]) => [name as string, { type, fallback } as OracleColumn])),
    )
  }

  private constructor(pool: pg.Pool, one: Case, columns: ReadonlyMap<string, OracleColumn>) {
    this.#pool = pool
    this.#case = one
    this.#columns = columns
  }

  /** Runs one statement; returns how many rows it has changed. */
  async change({ op, row }: Change, options: Options): Promise<number> {
    const names = Object.keys(row)
    const text =
      op === 'delete'
        ? this.#delete(names, options)
        : options.mode === 'update-only'
          ? this.#update(names, options)
          : this.#insert(names, options)
    return text === undefined ? 0 : ((await this.#pool.query(text, Object.values(row))).rowCount ?? 0)
  }

  #delete(names: readonly string[], { newerBy }: Options): string {
    const newer = newerBy ? `AND (given.${newerBy} > stored.${newerBy} OR stored.${newerBy} IS NULL)` : ''
    return `DELETE FROM theirs AS stored USING (SELECT ${this.#values(names)}) AS given
      WHERE ${this.#case.isSame} ${newer}`
  }

  #insert(names: readonly string[], options: Options): string {
    const values = names.map((_, index) => `$${index + 1}`)
    const into = names.length === 0 ? 'DEFAULT VALUES' : `(${quoteList(names)}) VALUES (${values})`
    const sets = this.#sets(names, options)
    const where = this.#conditions(sets, options)
    const then =
      sets.size === 0 ? 'NOTHING' : `UPDATE SET ${[...sets].map(([c, sql]) => `${c} = ${sql}`)} ${where}`
    const arbiter = this.#case.arbiter.replaceAll('%', 'theirs')
    return `INSERT INTO theirs AS stored ${into} ON CONFLICT ${arbiter} DO ${then}`
  }

  #update(names: readonly string[], options: Options): string | undefined {
    const sets = this.#sets(names, options)
    if (sets.size === 0) return undefined
    const where = this.#conditions(sets, options).replace(/^WHERE/, 'AND')
    return `UPDATE theirs AS stored SET ${[...sets].map(([c, sql]) => `${c} = ${sql}`)}
      FROM (SELECT ${this.#values(names)}) AS given, (SELECT ${this.#values(names)}) AS excluded
      WHERE ${this.#case.isSame} ${where}`
  }

  /** All columns of a row: its values, and DEFAULTs for those that it lacks. */
  #values(names: readonly string[]): string {
    return [...this.#columns]
      .map(([name, { type, fallback }]) => {
        const at = names.indexOf(name)
        return `${at < 0 ? `(${fallback})` : `$${at + 1}`}::${type} AS ${name}`
      })
      .join(', ')
  }

  #sets(names: readonly string[], { update }: Options): Map<string, string> {
    if (update && !Array.isArray(update)) return new Map(Object.entries(update))
    const set = names.filter(name => (update ? update.includes(name) : !this.#case.keyColumns.includes(name)))
    return new Map(set.map(name => [name, `excluded.${name}`]))
  }

  #conditions(sets: ReadonlyMap<string, string>, { newerBy, onlyIfChanged, where }: Options): string {
    const conditions: string[] = []
    if (newerBy) conditions.push(`(excluded.${newerBy} > stored.${newerBy} OR stored.${newerBy} IS NULL)`)
    if (onlyIfChanged) {
      const values = [...sets].map(([name, sql]) => `(${sql})::${this.#columns.get(name)!.type}`)
      const stored = [...sets.keys()].map(name => `stored.${name}`)
      conditions.push(`ROW(${stored})::record *<> ROW(${values})::record`)
    }
    if (where) conditions.push(`(${where}\n)`)
    return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  }
}

/** FAST_CHECK_RUNS looks for longer. */
const RUNS = Number(process.env.FAST_CHECK_RUNS ?? Math.max(2, thorough(16)))

describe('upserts with conditions leave what one statement for each row would', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE EXTENSION citext;
      CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF new.k = 13 THEN RETURN NULL; END IF; new.k := new.k % 10; RETURN new; END';
      CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.n := old.n + 1; RETURN new; END'`),
  )

  for (const one of CASES) {
    for (const way of WAYS) {
      it(`${one.title}: ${JSON.stringify(way)}`, async () => {
        const { pool } = makePool()
        for (const table of ['ours', 'theirs']) {
          await db.pool.query(`DROP TABLE IF EXISTS ${table}; ${one.ddl.replaceAll('%', table)}`)
        }
        const compared = await valuesOf(
          db.pool,
          `SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = 'ours'::regclass AND attnum > 0 AND attname <> 'id'`,
        )
        const oracle = await Oracle.on(db.pool, one)
        let kept = 0
        await fc.assert(
          fc.asyncProperty(changesOf(one), OPTIONS, async (batches, options) => {
            await db.pool.query('DELETE FROM ours; DELETE FROM theirs')
            const changes = batches.flat()
            let changed = 0
            for (const change of changes) changed += await oracle.change(change, options)
            const target = JSON.parse(JSON.stringify(one.target).replaceAll('%', 'ours'))
            const { stats } = await write<Change, Row>(batches, {
              pool,
              table: 'ours',
              toRow: ({ row }) => row,
              ...(changes.some(({ op }) => op === 'delete') ? { operation: ({ op }: Change) => op } : {}),
              onConflict: { target, action: 'update', ...options },
              ...way,
            })
            const texts = (table: string) =>
              valuesOf(db.pool, `SELECT r::text FROM (SELECT ${compared[0]![0]} FROM ${table}) r ORDER BY 1`)
            expect(await texts('ours')).to.deep.equal(await texts('theirs'))
            expect(stats.rowsCommitted).to.equal(changed)
            kept += changes.length - changed
          }),
          { numRuns: RUNS },
        )
        expect(kept).to.be.at.least(1)
      })
    }
  }
})
