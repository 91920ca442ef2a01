import { expect } from 'chai'
import type pg from 'pg'
import { PgBatchWritable } from '../../../../../lib/writable/pg-batch-writable.ts'
import { seededRandom } from '../../../../support/random.ts'
import { useDatabase } from '../../../../support/servers/database.ts'
import { usePools } from '../../../../support/servers/pools.ts'
import { IS_THOROUGH } from '../../../../support/thorough.ts'
import { METHODS, options, valuesOf } from '../../../../support/writing.ts'
import { load } from '../../../reliability/load.ts'

interface Change {
  readonly key: number
  readonly v: string
  readonly isDelete: boolean
}

interface Table {
  readonly title: string
  /** DDL with `%` for the table's name; its key has the columns k and p. */
  readonly ddl: string
  /** The type of p, and its value for a number; for some of them there is no partition. */
  readonly p: readonly [sqlType: string, of: (key: number) => unknown]
  /** Rows that are deleted in the end are not written. */
  readonly folds: boolean
}

const WAYS = IS_THOROUGH ? METHODS : METHODS.filter(({ title }) => /^(text COPY|INSERT)$/.test(title))
const KEYS = 12
const STREAMS = IS_THOROUGH ? 40 : 12
/** In many short streams of two keys each row without a partition is deleted by the end. */
const MAX_LENGTH = 8

const date = (key: number): string => `2026-01-${String(key + 1).padStart(2, '0')}`

const TABLES: readonly Table[] = [
  {
    title: 'ranges of dates',
    ddl: `PARTITION BY RANGE (p); CREATE TABLE %_a PARTITION OF % FOR VALUES FROM (MINVALUE) TO ('2026-01-04');
      CREATE TABLE %_b PARTITION OF % FOR VALUES FROM ('2026-01-06') TO ('2026-01-11')`,
    p: ['date', date],
    folds: true,
  },
  {
    title: 'ranges of dates and a default partition',
    ddl: `PARTITION BY RANGE (p); CREATE TABLE %_a PARTITION OF % FOR VALUES FROM ('2026-01-01') TO ('2026-01-04');
      CREATE TABLE %_b PARTITION OF % DEFAULT`,
    p: ['date', date],
    folds: true,
  },
  {
    title: 'lists of texts',
    ddl: `PARTITION BY LIST (p); CREATE TABLE %_a PARTITION OF % FOR VALUES IN ('p1', 'p2', 'p3');
      CREATE TABLE %_b PARTITION OF % FOR VALUES IN ('p7')`,
    p: ['text', key => `p${key}`],
    folds: true,
  },
  {
    title: 'ranges of texts, whose order is that of a collation',
    ddl: `PARTITION BY RANGE (p); CREATE TABLE %_a PARTITION OF % FOR VALUES FROM ('B') TO ('a')`,
    p: ['text COLLATE "C"', key => 'aBcDeFgHiJkL'[key]],
    folds: false,
  },
  {
    title: 'lists in ranges, with columns in another order',
    ddl: `PARTITION BY RANGE (p); CREATE TABLE %_a (v text, p int NOT NULL, gone int, k int NOT NULL)
        PARTITION BY LIST (k);
      ALTER TABLE %_a DROP gone; ALTER TABLE % ATTACH PARTITION %_a FOR VALUES FROM (2) TO (9);
      CREATE TABLE %_b PARTITION OF %_a FOR VALUES IN (0, 2); CREATE TABLE %_c PARTITION OF % FOR VALUES FROM (9) TO (11)`,
    p: ['int', key => key],
    folds: true,
  },
  {
    title: 'two columns',
    ddl: `PARTITION BY RANGE (p, k); CREATE TABLE %_a PARTITION OF % FOR VALUES FROM (1, 1) TO (4, 1);
      CREATE TABLE %_b PARTITION OF % FOR VALUES FROM (5, MINVALUE) TO (7, MAXVALUE)`,
    p: ['bigint', key => key],
    folds: true,
  },
  {
    title: 'all remainders of a hash',
    ddl: `PARTITION BY HASH (p); CREATE TABLE %_a PARTITION OF % FOR VALUES WITH (modulus 2, remainder 0);
      CREATE TABLE %_b PARTITION OF % FOR VALUES WITH (modulus 2, remainder 1)`,
    p: ['int', key => key],
    folds: true,
  },
  {
    title: 'a table that is a partition itself',
    ddl: `; DROP TABLE IF EXISTS %_of; CREATE TABLE %_of (k int, p int, v text) PARTITION BY RANGE (p);
      ALTER TABLE %_of ATTACH PARTITION % FOR VALUES FROM (1) TO (8)`,
    p: ['int', key => key],
    folds: false,
  },
  {
    title: 'one remainder of a hash',
    ddl: `PARTITION BY HASH (p); CREATE TABLE %_a PARTITION OF % FOR VALUES WITH (modulus 2, remainder 0)`,
    p: ['int', key => key],
    folds: false,
  },
]

describe('change events of a partitioned table', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const makePool = usePools(db)

  const create = async (table: string, { ddl, p }: Table): Promise<void> => {
    await db.pool.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (k int, p ${p[0]}, v text, PRIMARY KEY (k, p))
      ${ddl.replaceAll('%', table)}`)
  }
  const rowOf = ({ key, v }: Change, { p }: Table) => ({ k: key % 3, p: p[1](key), v })

  const open = (way: (typeof METHODS)[number], table: Table) =>
    new PgBatchWritable<Change, Record<string, unknown>>({
      pool: makePool().pool,
      table: 'ours',
      ...options(way),
      toRow: change => rowOf(change, table),
      operation: ({ isDelete }) => (isDelete ? 'delete' : 'upsert'),
      onConflict: { target: ['k', 'p'], action: 'update' },
      rejectLimit: Infinity,
    })

  for (const table of TABLES) {
    for (const way of WAYS) {
      it(`leave what a statement for each would: ${table.title}, by ${way.title}`, async () => {
        const random = seededRandom(20261130)
        await create('ours', table)
        await create('theirs', table)
        let refusals = 0
        for (let stream = 0; stream < STREAMS; stream++) {
          const keys = [random.integer(0, KEYS - 1), random.integer(0, KEYS - 1)]
          const changes = Array.from({ length: random.integer(2, MAX_LENGTH) }, (_, index) => ({
            key: random.pick(keys),
            v: `${stream}.${index}`,
            isDelete: random.next() < 0.5,
          }))
          const refused: unknown[] = []
          for (const [index, change] of changes.entries()) {
            await changeOne(db.pool, rowOf(change, table), change.isDelete).catch(({ code }) =>
              refused.push([index, code]),
            )
          }
          refusals += refused.length
          const rejected = await load([changes], open(way, table))
          const found = rejected.map(({ item, error }) => [changes.indexOf(item), error.sqlState])
          expect(found.sort(([a], [b]) => Number(a) - Number(b))).to.deep.equal(refused)
          const stored = (name: string) =>
            valuesOf(db.pool, `SELECT k, p::text, v FROM ${name} ORDER BY 1, 2`)
          expect(await stored('ours')).to.deep.equal(await stored('theirs'))
        }
        expect(refusals > 0).to.equal(!/default|all remainders/.test(table.title))
      })

      it(`${table.folds ? 'write few versions' : 'write each version'}: ${table.title}, by ${way.title}`, async () => {
        await create('ours', table)
        const good: number[] = []
        for (let key = 0; key < KEYS; key++) {
          const row = rowOf({ key, v: '', isDelete: false }, table)
          await changeOne(db.pool, row, false, 'ours').then(
            () => good.push(key),
            () => {}, // there is no partition for it
          )
        }
        await create('ours', table)
        const changes = Array.from({ length: 3000 }, (_, index) => ({
          key: good[index % 2]!,
          v: 'a text',
          isDelete: index % 6 > 3,
        }))
        expect(await load([changes], open(way, table))).to.deep.equal([])
        const [size] = await valuesOf(
          db.pool,
          `SELECT sum(pg_relation_size(relid))::int / 8192 FROM pg_partition_tree('ours')`,
        )
        // a page has room for some 200 versions, and none is removed before COMMIT
        if (table.folds) expect(size![0]).to.be.at.most(2)
        else expect(size![0]).to.be.at.least(4)
      })
    }
  }
})

function changeOne(pool: pg.Pool, row: object, isDelete: boolean, table = 'theirs'): Promise<unknown> {
  const [k, p, v] = Object.values(row)
  if (isDelete) return pool.query(`DELETE FROM ${table} WHERE k = $1 AND p = $2`, [k, p])
  const text = `INSERT INTO ${table} VALUES ($1, $2, $3) ON CONFLICT (k, p) DO UPDATE SET v = excluded.v`
  return pool.query(text, [k, p, v])
}
