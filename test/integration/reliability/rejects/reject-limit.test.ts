import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
} from '../../../support/writing.ts'
import { load, rejectedBy } from '../load.ts'

interface Row {
  id: number
  n: number
}

/** `count` rows of which every tenth is bad: 10 to a batch of 100. */
const rows = (count: number) => rowsOf(count, (id): Row => ({ id, n: id % 10 === 4 ? -1 : id }))

describe('the rejectLimit', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, bad; CREATE TABLE t (id int, n int CHECK (n >= 0))')
  })

  const make = (extra: object) => new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', ...extra })

  for (const way of METHODS) {
    it(`lets that many rows be rejected over all batches, by ${way.title}`, async () => {
      const writable = make({ rejectLimit: 50, ...options(way) })
      const rejected = await load(batchesOf(rows(500), 100), writable)
      expect(rejected).to.have.length(50)
      expect(await countOf(db.pool, 't')).to.equal(450)
    })

    it(`fails with the first row beyond it, its batch rolled back and those before reported, by ${way.title}`, async () => {
      const writable = make({ rejectLimit: 49, deadLetter: { table: 'bad' }, ...options(way) })
      const rejected = rejectedBy(writable)
      const error = await failureOf(load(batchesOf(rows(500), 100), writable))
      expect(error).to.include({
        code: 'REFUSED',
        sqlState: '23514',
        outcome: 'rolled-back',
        batchId: 5,
        rowIndex: 94,
      })
      expect(rejected.map(({ batchId }) => batchId)).to.deep.equal(
        [1, 2, 3, 4].flatMap(batch => new Array(10).fill(batch)),
      )
      expect(writable.stats).to.include({ rowsCommitted: 360, rowsRejected: 40, rowsPending: 100 })
      expect(await countOf(db.pool, 't')).to.equal(360)
      expect(await countOf(db.pool, 'bad')).to.equal(40)
    })
  }

  it('is shared by lanes', async () => {
    const writable = make({ rejectLimit: 100, concurrency: 3 })
    expect(await load(batchesOf(rows(1000), 50), writable)).to.have.length(100)
    expect(await countOf(db.pool, 't')).to.equal(900)
    await db.pool.query('TRUNCATE t')
    const strict = make({ rejectLimit: 99, concurrency: 3 })
    const rejected = rejectedBy(strict)
    expect(await failureOf(load(batchesOf(rows(1000), 50), strict))).to.include({ sqlState: '23514' })
    const { rowsRejected, rowsCommitted } = strict.stats
    expect(rejected).to.have.length(rowsRejected)
    expect(rowsRejected).to.be.below(100)
    expect(await countOf(db.pool, 't')).to.equal(rowsCommitted)
  })

  it('is not used up by rows of a transaction that failed and is tried again', async () => {
    let attempts = 0
    const writable = make({
      rejectLimit: 10,
      retry: { minDelayMs: 1, maxDelayMs: 1 },
      async inTransaction(client: { query(text: string): Promise<unknown> }) {
        attempts++
        // fails after the isolation, twice, with a transient error
        if (attempts <= 2) await client.query(`DO $$ BEGIN RAISE SQLSTATE '40001'; END $$`)
      },
    })
    expect(await load([rows(100)], writable)).to.have.length(10)
    expect(attempts).to.be.above(2)
    expect(await countOf(db.pool, 't')).to.equal(90)
  })

  it('counts items that are not rows like any others', async () => {
    const items = [{ id: 1, n: 1 }, 5, { id: 2, n: 2 }, null] as unknown as Row[]
    expect(await load([items], make({ rejectLimit: 2 }))).to.have.length(2)
    const error = await failureOf(load([items], make({ rejectLimit: 1 })))
    expect(error).to.include({ code: 'ROW_INVALID', rowIndex: 3 })
    expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal([[1], [2]])
  })

  it('commits the good batches around a bad one, each on its own', async () => {
    const batches = batchesOf(
      rowsOf(1000, (id): Row => ({ id, n: id === 555 ? -1 : id })),
      100,
    )
    const writable = make({ rejectLimit: 1 })
    const rejected = await load(batches, writable)
    expect(rejected.map(({ batchId, index }) => [batchId, index])).to.deep.equal([[6, 55]])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
      [999, 999],
    ])
  })
})
