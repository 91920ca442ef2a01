import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'

/** Rows of some 50 bytes: a batch takes some 25 kB. */
const ROWS = Number(process.env.PG_BATCH_TEST_CUT_ROWS ?? 40_000)
const BATCH_ROWS = 500
const text = 'x'.repeat(36)

describe('a stream whose connections are cut again and again', function () {
  this.timeout(240_000)
  const db = useDatabase()
  const makePool = usePools(db)
  let proxy: FaultProxy

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, pg_batch_checkpoint; CREATE TABLE t (id int, note text)')
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
  })
  afterEach(() => proxy.stop())

  const throughProxy = () => {
    const url = new URL(db.connectionString)
    url.port = String(proxy.port)
    return makePool({ connectionString: url.href }).pool
  }
  type Row = { id: number; note: string }
  const rows = rowsOf(ROWS, (id): Row => ({ id, note: text }))

  for (const [title, extra] of [
    ['COPY', { method: 'copy' }],
    ['INSERT', { method: 'insert' }],
    ['upserts', { onConflict: { target: ['id'], action: 'update' } }],
    ['two lanes', { concurrency: 2 }],
    ['a checkpoint', { checkpoint: { name: 't', position: ({ id }: Row) => ({ offset: id }) } }],
    ['a few retries only', { retry: { retries: 4, minDelayMs: 1, maxDelayMs: 5 } }],
  ] as const) {
    it(`gets through with every row once, by smaller transactions that grow again: ${title}`, async () => {
      if ('onConflict' in extra) await db.pool.query('ALTER TABLE t ADD PRIMARY KEY (id)')
      const random = seededRandom(20261128)
      const pool = throughProxy()
      proxy.cutEach(() => random.integer(20_000, 400_000))
      const sink = new PgBatchWritable<Row>({
        pool,
        table: 't',
        retry: { minDelayMs: 1, maxDelayMs: 5 },
        ...extra,
      })
      const sizes: number[] = []
      sink.on('commit', ({ batches }) => sizes.push(batches))
      await pipeline(Readable.from(batchesOf(rows, BATCH_ROWS)), sink)
      proxy.disarm()
      expect(proxy.cuts).to.be.at.least(5)
      expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
        [ROWS, ROWS],
      ])
      expect(sink.stats).to.include({ rowsCommitted: ROWS, rowsPending: 0 })
      expect(sizes.filter(batches => batches === 1)).to.not.deep.equal([])
      expect(Math.max(...sizes.slice(sizes.indexOf(1)))).to.be.at.least(2)
    })
  }

  it('gives up when not even one batch gets through', async () => {
    const pool = throughProxy()
    proxy.cutEach(() => 15_000)
    const sink = new PgBatchWritable<Row>({
      pool,
      table: 't',
      retry: { retries: 5, minDelayMs: 1, maxDelayMs: 5 },
    })
    const retries: number[] = []
    sink.on('retry', ({ attempt }) => retries.push(attempt))
    const error = await failureOf(pipeline(Readable.from(batchesOf(rows, BATCH_ROWS)), sink))
    proxy.disarm()
    expect(error).to.include({ code: 'CONNECTION' })
    expect(retries).to.deep.equal([1, 2, 3, 4, 5])
  })
})
