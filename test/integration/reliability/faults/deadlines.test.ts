import { createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { RetryEvent } from '../../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import type { WireMessage } from '../../../support/network/wire.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, roleWith, usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'

const rows = rowsOf(100, id => ({ id }))
const LIMITS = { statementTimeoutMs: 150, commitTimeoutMs: 150 }

describe('a server that goes silent', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  let proxy: FaultProxy

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
  })
  afterEach(() => proxy.stop())

  const throughProxy = () => {
    const url = new URL(db.connectionString)
    url.hostname = '127.0.0.1'
    url.port = String(proxy.port)
    return makePool({ connectionString: url.href })
  }
  const start = (extra: object = {}) => {
    const { pool } = throughProxy()
    const writable = new PgBatchWritable<{ id: number }>({
      pool,
      table: 't',
      ...LIMITS,
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      ...extra,
    })
    const retries: RetryEvent[] = []
    writable.on('retry', retry => retries.push(retry))
    const done = pipeline(Readable.from([rows]), writable)
    done.catch(() => {})
    return { writable, done, retries }
  }
  const isQuery = (text: string) => (message: { bytes: Buffer }) => message.bytes.includes(text)
  const expectOnce = async () =>
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
      [100, 100],
    ])

  it('while `inTransaction` waits for it is noticed, too', async () => {
    proxy.arm({ direction: 'up', at: isQuery('SELECT 42'), action: { do: 'stall' } })
    const { done, retries } = start({
      inTransaction: async (client: PgClientLike) => void (await client.query('SELECT 42')),
    })
    await settlesWithin(5000, done)
    // on a busy machine the rows, too, may take longer than the limit
    const silent = retries.filter(({ error }) => error.callback === 'inTransaction')
    expect(silent).to.have.length(1)
    expect(silent[0]!.error).to.include({ code: 'CALLBACK_FAILED', retryable: true })
    await expectOnce()
  })

  for (const way of METHODS) {
    it(`while rows are sent to it is noticed, and another connection writes them once, by ${way.title}`, async () => {
      const fired = proxy.arm({ direction: 'up', at: isQuery('BEGIN'), action: { do: 'stall' } })
      const { done, retries } = start(options(way))
      await fired
      await settlesWithin(8000, done)
      // on a busy machine a connection may take longer than the limit: then no row was sent
      const sent = retries.filter(({ error }) => error.outcome !== 'not-sent')
      expect(sent.map(({ error }) => error.outcome)).to.deep.equal(['rolled-back'])
      expect(sent[0]!.error).to.include({ code: 'CONNECTION', retryable: true })
      await expectOnce()
    })

    it(`in the middle of a message is noticed, and another connection writes the rows once, by ${way.title}`, async () => {
      const carriesRows = ({ name, bytes }: WireMessage) =>
        (name === 'Bind' || name === 'CopyData') && bytes.length > 250
      const fired = proxy.arm({ direction: 'up', at: carriesRows, pass: 0.5, action: { do: 'stall' } })
      const { done } = start(options(way))
      await fired
      await settlesWithin(8000, done)
      await expectOnce()
    })

    it(`before it receives COMMIT is noticed and asked, and the rows are committed once, by ${way.title}`, async () => {
      const fired = proxy.arm({ direction: 'up', at: isQuery('COMMIT'), action: { do: 'stall' } })
      const { done } = start(options(way))
      await fired
      await settlesWithin(8000, done)
      await expectOnce()
    })

    it(`after it has committed is noticed and asked, and nothing is sent again, by ${way.title}`, async () => {
      const fired = proxy.arm({ direction: 'up', at: isQuery('COMMIT'), pass: 1, action: { do: 'stall' } })
      const { done, retries } = start(options(way))
      await fired
      await settlesWithin(8000, done)
      // on a busy machine a connection may take longer than the limit: then no row was sent
      expect(retries.filter(({ error }) => error.outcome !== 'not-sent')).to.deep.equal([])
      await expectOnce()
    })
  }

  it('fails the stream in time without retries', async () => {
    const fired = proxy.arm({ direction: 'up', at: isQuery('BEGIN'), action: { do: 'stall' } })
    const { done } = start({ retry: false })
    await fired
    expect(await failureOf(settlesWithin(3000, done))).to.include({
      code: 'CONNECTION',
      outcome: 'rolled-back',
    })
    expect(await valuesOf(db.pool, 'SELECT * FROM t')).to.deep.equal([])
  })
})

describe('a server that takes the connection and never answers', () => {
  const sockets: Socket[] = []
  let mute: Server
  let pool: pg.Pool

  beforeEach(async () => {
    mute = createServer(socket => sockets.push(socket.on('error', () => {})))
    await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as { port: number }
    pool = new pg.Pool({ connectionString: `postgres://u:p@127.0.0.1:${port}/d` })
    pool.on('error', () => {})
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    mute.close()
    await until('no client connects', () => pool.totalCount === 0 && pool.waitingCount === 0)
    await pool.end()
  })

  it('is given up after statementTimeoutMs', async () => {
    const writable = new PgBatchWritable({ pool, table: 't', ...LIMITS, retry: false })
    const error = await failureOf(settlesWithin(2000, pipeline(Readable.from([rows]), writable)))
    expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent', retryable: true })
    for (const socket of sockets) socket.destroy()
  })
})

describe('a statement that takes too long', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
  })

  for (const way of METHODS) {
    it(`is cancelled by the server itself, and the client stays, by ${way.title}`, async () => {
      const unlock = await lockTable(db, 't')
      try {
        const { pool } = makePool({ max: 1 })
        await pool.query('SELECT 1')
        const options_ = { pool, table: 't', ...LIMITS, retry: false, ...options(way) } as const
        const writable = new PgBatchWritable<{ id: number }>(options_)
        const error = await failureOf(settlesWithin(3000, pipeline(Readable.from([rows]), writable)))
        expect(error).to.include({ sqlState: '57014', outcome: 'rolled-back', retryable: true })
        expect(error.rowIndex, 'no row is to blame').to.equal(undefined)
        expect(pool.totalCount).to.equal(1)
      } finally {
        await unlock()
      }
    })
  }

  it('while the server parses a value costs no row, though the server names the row and the column', async () => {
    await db.pool.query(`DROP TABLE t; CREATE SEQUENCE calls;
      CREATE DOMAIN slow AS text CHECK (CASE nextval('calls') WHEN 3 THEN pg_sleep(5)::text ELSE '' END IS NOT NULL);
      CREATE TABLE t (id int, v slow)`)
    const writable = new PgBatchWritable<{ id: number; v: string }>({
      pool: makePool().pool,
      table: 't',
      ...LIMITS,
      rejectLimit: Number.POSITIVE_INFINITY,
      retry: { minDelayMs: 1, maxDelayMs: 5 },
    })
    const retries: RetryEvent[] = []
    writable.on('retry', retry => retries.push(retry))
    await pipeline(Readable.from([rowsOf(5, id => ({ id, v: 'x' }))]), writable)
    expect(retries.map(({ error }) => [error.sqlState, error.rowIndex])).to.deep.equal([['57014', undefined]])
    expect(writable.stats).to.include({ rowsCommitted: 5, rowsRejected: 0 })
  })

  it('is not what a running load becomes: a COPY takes batches for half of the time', async () => {
    const own = await roleWith(db, { statement_timeout: '900' })
    try {
      const { pool } = makePool(own.config)
      const writable = new PgBatchWritable<{ id: number }>({ pool, table: 't' })
      const retries: unknown[] = []
      writable.on('retry', retry => retries.push(retry))
      const started = performance.now()
      while (performance.now() - started < 1300) {
        await new Promise(resolve => writable.write([{ id: 1 }], resolve))
        await new Promise(resolve => setImmediate(resolve)) // one row a turn: no other bound is met
      }
      await new Promise<void>(resolve => writable.end(resolve))
      expect(retries).to.deep.equal([])
      expect(writable.stats.rowsCommitted).to.equal(writable.stats.rowsReceived)
    } finally {
      await own.drop()
    }
  })

  const timeouts: readonly [title: string, session: string, expected: string][] = [
    ["keeps a session's own shorter one", '77', '77ms'],
    ["shortens a session's own longer one", '600000', '5s'],
    ['is set where a session has none', '0', '5s'],
  ]
  for (const [title, session, expected] of timeouts) {
    it(`${title}, and only for the transaction`, async () => {
      const own = await roleWith(db, {
        statement_timeout: session,
        idle_in_transaction_session_timeout: session,
      })
      try {
        const { pool } = makePool({ ...own.config, max: 1 })
        const seen: unknown[] = []
        const writable = new PgBatchWritable<{ id: number }>({
          pool,
          table: 't',
          statementTimeoutMs: 5000,
          async inTransaction(client: PgClientLike) {
            seen.push(...(await client.query('SHOW statement_timeout')).rows)
            seen.push(...(await client.query('SHOW idle_in_transaction_session_timeout')).rows)
          },
        })
        await pipeline(Readable.from([rows]), writable)
        expect(seen).to.deep.equal([
          { statement_timeout: expected },
          { idle_in_transaction_session_timeout: expected },
        ])
        const { rows: after } = await pool.query(
          "SELECT current_setting('statement_timeout')::interval = $1::interval AS same",
          [`${session} ms`],
        )
        expect(after).to.deep.equal([{ same: true }])
      } finally {
        await own.drop()
      }
    })
  }
})
