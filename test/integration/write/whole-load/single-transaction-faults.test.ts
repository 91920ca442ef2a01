import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { terminate } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
} from '../../../support/writing.ts'
import { ROWS, type Row, SIZE, useSingleTransaction } from './single-transactions.ts'

describe('singleTransaction', () => {
  const { db, makePool, rows, openSink } = useSingleTransaction()
  let proxy: FaultProxy

  beforeEach(async () => {
    proxy = await FaultProxy.start(Number(new URL(db.directConnectionString).port))
  })
  afterEach(() => proxy.stop())

  it('fails as rolled back when the connection is lost while the source pauses', async () => {
    const { sink, name } = openSink({ retry: { minDelayMs: 1 } })
    const retries: unknown[] = []
    sink.on('retry', retry => retries.push(retry))
    const failed = failureOf(
      new Promise((resolve, reject) => {
        sink.once('finish', resolve).once('error', reject)
      }),
    )
    for (const batch of batchesOf(rows(), SIZE)) if (!sink.write(batch)) await once(sink, 'drain')
    await terminate(db, name)
    expect(await failed).to.include({ code: 'CONNECTION', outcome: 'rolled-back', retryable: true })
    expect(retries).to.deep.equal([])
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  const UNSENT: readonly { title: string; first: Row[]; options: Partial<PgBatchWritableOptions<Row>> }[] = [
    { title: 'rows that wait for their INSERT', first: rows(100), options: { method: 'insert' } },
    { title: 'rejected rows', first: rowsOf(100, () => 'no row' as never), options: { rejectLimit: 1000 } },
    { title: 'skipped rows', first: rows(100), options: { toRow: row => (row.id < 100 ? null : row) } },
  ]
  for (const { title, first, options } of UNSENT) {
    it(`fails when the connection is lost after a batch of ${title}, which it no longer holds`, async () => {
      const { pool, name } = makePool({ connectionString: db.directConnectionString })
      let leases = 0
      pool.on('acquire', () => leases++)
      const all = { pool, table: 't', singleTransaction: true, ...options }
      const sink = new PgBatchWritable<Row>(all as PgBatchWritableOptions<Row>)
      const failed = failureOf(
        new Promise((resolve, reject) => {
          sink.once('finish', resolve).once('error', reject)
        }),
      )
      sink.write(first)
      await until('the first batch has its transaction', () => leases === 2)
      await terminate(db, name)
      await until('the stream has noticed it', () => pool.totalCount === 0 || leases > 2)
      sink.end(rows(200).slice(100))
      expect(await failed).to.include({ code: 'CONNECTION', outcome: 'rolled-back', retryable: true })
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }

  const sinkThroughProxy = () => {
    const url = new URL(db.directConnectionString)
    Object.assign(url, { hostname: '127.0.0.1', port: String(proxy.port) })
    const { pool } = makePool({ connectionString: url.href })
    return new PgBatchWritable<Row>({ pool, table: 't', singleTransaction: true })
  }

  it('fails as rolled back when the connection breaks in the middle of the rows', async () => {
    const sink = sinkThroughProxy()
    proxy.arm({ direction: 'up', afterBytes: 200_000, action: { do: 'reset' } })
    const error = await failureOf(pipeline(Readable.from(batchesOf(rows(), SIZE)), sink))
    expect(error).to.include({ code: 'CONNECTION', outcome: 'rolled-back', retryable: true })
    await until('nothing is stored', async () => (await countOf(db.pool, 't')) === 0)
  })

  it('asks for the outcome of a COMMIT whose answer was lost', async () => {
    const sink = sinkThroughProxy()
    const isCommitted = ({ bytes }: { bytes: Buffer }) => bytes.includes('COMMIT\0')
    proxy.arm({ direction: 'down', at: isCommitted, action: { do: 'cut' } })
    await pipeline(Readable.from(batchesOf(rows(), SIZE)), sink)
    expect(sink.stats).to.include({ rowsCommitted: ROWS, transactions: 1 })
    expect(await countOf(db.pool, 't')).to.equal(ROWS)
  })

  it('retries while there is no connection, because nothing was sent', async () => {
    const { pool } = makePool()
    let refused = 0
    const flaky = {
      connect: async () => {
        // the first client introspects
        if (pool.totalCount > 0 && refused < 3 && ++refused) {
          throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
        }
        return pool.connect()
      },
    }
    const sink = new PgBatchWritable<Row>({
      pool: flaky,
      table: 't',
      singleTransaction: true,
      retry: { minDelayMs: 1, maxDelayMs: 2 },
    })
    await pipeline(Readable.from(batchesOf(rows(1000), 100)), sink)
    expect([refused, await countOf(db.pool, 't')]).to.deep.equal([3, 1000])
  })

  for (const way of METHODS) {
    it(`waits by ${way.title} for a source that pauses longer than every limit`, async () => {
      const limits = 'statement_timeout idle_in_transaction_session_timeout transaction_timeout'.split(' ')
      const known = await valuesOf(db.pool, `SELECT name FROM pg_settings WHERE name = ANY ('{${limits}}')`)
      const hurried = known.map(([name]) => `-c ${name}=150ms`).join(' ')
      const { pool } = makePool({ connectionString: db.directConnectionString, options: hurried })
      const sink = new PgBatchWritable<Row>({
        pool,
        table: 't',
        singleTransaction: true,
        statementTimeoutMs: 100,
        ...options(way),
      })
      await pipeline(async function* () {
        for (const batch of batchesOf(rows(400), 100)) {
          yield batch
          await db.pool.query('SELECT pg_sleep(0.4)')
        }
      }, sink)
      expect(await countOf(db.pool, 't')).to.equal(400)
    })
  }

  it('notices a server that is silent while it should work', async () => {
    const blocker = new pg.Client({ connectionString: db.directConnectionString })
    await blocker.connect()
    await blocker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE')
    try {
      const { sink } = openSink({ statementTimeoutMs: 100 })
      const writing = pipeline(Readable.from(batchesOf(rows(400), 100)), sink)
      const error = await failureOf(writing)
      expect(error).to.include({ code: 'CONNECTION', outcome: 'rolled-back' })
    } finally {
      await blocker.end()
    }
  })
})
