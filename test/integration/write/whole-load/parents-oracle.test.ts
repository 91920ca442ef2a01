import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { countStatements, usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { batchesOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../../reliability/load.ts'

interface Row {
  readonly id: number
  readonly parent: number | null
  readonly n: number
}

type Options = Partial<PgBatchWritableOptions<Row>>

const WAYS: readonly { readonly title: string; readonly way: Options }[] = [
  { title: 'COPY', way: { method: 'copy' } },
  { title: 'INSERT', way: { method: 'insert' } },
  { title: 'an upsert by COPY', way: { method: 'copy', onConflict: { target: ['id'], action: 'update' } } },
  { title: 'an upsert', way: { onConflict: { target: ['id'], action: 'update' } } },
  { title: 'what ignores known keys', way: { onConflict: { target: ['id'], action: 'nothing' } } },
]

describe('singleTransaction with rejects: rows that refer to rows of later batches', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const makePool = usePools(db)

  /** Writes rows, and resolves to what is stored and what was rejected. */
  async function outcomeOf(pool: pg.Pool, rows: readonly Row[], size: number, way: Options) {
    await db.pool.query(`DROP TABLE IF EXISTS tree; CREATE TABLE tree (id int PRIMARY KEY,
      parent int REFERENCES tree, n int CHECK (n > 0)); INSERT INTO tree VALUES (100)`)
    const options = { pool, table: 'tree', rejectLimit: 1e6, concurrency: 1, ...way }
    const sink = new PgBatchWritable<Row>(options as PgBatchWritableOptions<Row>)
    const rejected = await load(batchesOf(rows, size), sink)
    return {
      stored: await valuesOf(db.pool, 'SELECT id, parent, n FROM tree ORDER BY id'),
      rejected: rejected.map(({ batchId, index }) => (batchId - 1) * size + index),
      unchanged: sink.stats.rowsUnchanged,
    }
  }

  /** A tree, a few of whose rows are bad, in some order; some rows come twice, if an order decides then. */
  function treeOf(seed: number, mayRepeat: boolean): Row[] {
    const random = seededRandom(seed)
    const oneOf = (count: number): number => Math.floor(random.next() * count)
    const count = 1 + oneOf(150)
    const parentOf = (id: number): number | null => {
      const kind = random.next()
      if (kind < 0.03) return 101 // not there
      if (kind < 0.06) return 100 // in the table
      if (kind < 0.1) return 200 + oneOf(count) // may be a circle
      return id === 0 || kind < 0.2 ? null : 200 + oneOf(id)
    }
    const rows = Array.from({ length: count }, (_, id): Row => {
      return { id: 200 + id, parent: parentOf(id), n: random.next() < 0.04 ? -1 : 1 }
    })
    // of two rows of a key that wait, the one that is tried first is stored: these do not wait
    const certain = rows.filter(({ parent }) => parent === null || parent === 100)
    const repeats = mayRepeat && certain.length > 0 ? oneOf(4) : 0
    for (let left = repeats; left > 0; left--) rows.push({ ...certain[oneOf(certain.length)]!, n: 2 })
    const order = oneOf(3)
    if (order === 0) return rows
    if (order === 1) return rows.reverse()
    return rows
      .map(row => [random.next(), row] as const)
      .sort(([a], [b]) => a - b)
      .map(([, row]) => row)
  }

  for (const { title, way } of WAYS) {
    for (const size of [1, 7, 50]) {
      it(`stores and rejects what transactions of their own do, by ${title}, in batches of ${size}`, async () => {
        const { pool } = makePool()
        const property = fc.asyncProperty(fc.nat(), async seed => {
          // which row of a key an upsert keeps depends on how many batches a transaction takes
          const rows = treeOf(seed, way.onConflict === undefined)
          const expected = await outcomeOf(pool, rows, size, { ...way, awaitsParents: () => true })
          const whole = await outcomeOf(pool, rows, size, { ...way, singleTransaction: true })
          expect(whole).to.deep.equal(expected)
        })
        await fc.assert(property, { numRuns: thorough(12), examples: [[2_147_483_640]] })
      })
    }
  }

  it('keeps to few statements for a chain of 20,000 rows in the worst order, in batches of one', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i): Row => ({ id: i + 200, parent: i + 201, n: 1 }))
    rows[19_999] = { ...rows[19_999]!, parent: null }
    const { pool } = makePool()
    const statements = countStatements(pool)
    const { stored, rejected } = await outcomeOf(pool, rows, 1, { singleTransaction: true })
    expect([stored.length, rejected]).to.deep.equal([20_001, []])
    expect(statements()).to.be.below(100)
  })

  for (const { title, way } of [
    { title: 'one transaction', way: { singleTransaction: true } },
    { title: 'transactions of their own', way: { awaitsParents: () => true } },
  ]) {
    it(`lets at most 64 MiB of batches wait for the parent of one row: ${title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS page; CREATE TABLE page (id int PRIMARY KEY,
        parent int REFERENCES page, text text)`)
      const text = 'x'.repeat(50_000)
      function* batches() {
        yield [
          { id: Number.NaN, parent: null, text: '' }, // has no form as an integer
          { id: 1, parent: 500, text: '' },
          { id: 2, parent: 1600, text: '' }, // comes after 79 MB
        ]
        for (let id = 100; id < 1700; id += 20) yield rowsOf(20, n => ({ id: n, parent: null, text }), id)
      }
      const options = { pool: makePool().pool, table: 'page', rejectLimit: 9, concurrency: 1, ...way }
      const rejected = await load(batches(), new PgBatchWritable<object>(options))
      expect(rejected.map(({ batchId, index }) => [batchId, index])).to.deep.equal([
        [1, 0],
        [1, 2],
      ])
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM page')).to.deep.equal([[1601]])
    })
  }

  it('rejects a row whose parent is missing in another table, and takes those that wait', async () => {
    await db.pool.query(`DROP TABLE IF EXISTS leaf, branch; CREATE TABLE branch (id int PRIMARY KEY);
      CREATE TABLE leaf (id int PRIMARY KEY, parent int REFERENCES leaf, branch int REFERENCES branch);
      INSERT INTO branch VALUES (1)`)
    const rows = [
      { id: 1, parent: 4, branch: 1 },
      { id: 2, parent: null, branch: 2 },
      { id: 3, parent: 2, branch: 1 },
      { id: 4, parent: null, branch: 1 },
    ]
    const options = { pool: makePool().pool, table: 'leaf', singleTransaction: true, rejectLimit: 9 } as const
    const rejected = await load(batchesOf(rows, 1), new PgBatchWritable(options))
    expect(rejected.map(({ batchId, error }) => [batchId, error.constraint])).to.deep.equal([
      [2, 'leaf_branch_fkey'],
      [3, 'leaf_parent_fkey'],
    ])
    expect(await valuesOf(db.pool, 'SELECT id FROM leaf ORDER BY id')).to.deep.equal([[1], [4]])
  })
})
