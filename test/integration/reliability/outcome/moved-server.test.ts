import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type pg from 'pg'
import type { PgPoolLike } from '../../../../lib/connection/pg-types.ts'
import type { RetryEvent } from '../../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'

const socketError = (code: string) => Object.assign(new Error(`getaddrinfo ${code} db`), { code })
const starting = Object.assign(new Error('the database system is starting up'), {
  code: '57P03',
  severity: 'FATAL',
})

describe('a server that moves', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  let proxy: FaultProxy | undefined

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t, pg_batch_checkpoint; CREATE TABLE t (id int)'))
  afterEach(async () => {
    await proxy?.stop()
    proxy = undefined
  })

  const open = (pool: pg.Pool | PgPoolLike, extra: object = {}) => {
    const sink = new PgBatchWritable<{ id: number }>({
      pool: pool as pg.Pool,
      table: 't',
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      ...extra,
    })
    const retries: RetryEvent[] = []
    sink.on('retry', retry => retries.push(retry))
    const done = pipeline(Readable.from([rowsOf(3, id => ({ id }))]), sink)
    done.catch(() => {})
    return { done, retries }
  }
  const expectOnce = async () =>
    expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal([[0], [1], [2]])

  /** A pool whose first so many clients write nothing, as those of a standby. */
  const readOnlyAtFirst = (clients: number) => {
    const connectionString = aroundThePooler(db, 'a setting of the session')
    const { pool } = makePool({ max: 1, connectionString })
    let count = 0
    pool.on('connect', client => {
      if (count++ < clients)
        client.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY').catch(() => {})
    })
    return pool
  }

  for (const way of METHODS) {
    it(`is met by a new connection, when the old one leads to a standby, by ${way.title}`, async () => {
      const { done, retries } = open(readOnlyAtFirst(3), options(way))
      await done
      expect(retries.map(({ error }) => error.sqlState)).to.deep.equal(['25006', '25006', '25006'])
      await expectOnce()
    })
  }

  it('is met by a new connection for the tables that a stream creates', async () => {
    const checkpoint = { name: 't', position: ({ id }: { id: number }) => ({ offset: id }) }
    const { done, retries } = open(readOnlyAtFirst(2), { checkpoint })
    await done
    expect(retries.map(({ error }) => error.sqlState)).to.deep.equal(['25006', '25006'])
    await expectOnce()
  })

  /** A pool whose calls of connect, from one on, fail by these errors. */
  const failing = (pool: pg.Pool, from: number, errors: readonly Error[]): PgPoolLike => {
    let calls = 0
    return {
      async connect() {
        const error = errors[calls++ - from]
        if (error) throw error
        return (await pool.connect()) as never
      },
    }
  }

  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    it(`is found again after its name did not resolve for a while (${code})`, async () => {
      for (const from of [0, 1]) {
        await db.pool.query('TRUNCATE t')
        const errors = rowsOf(4, () => socketError(code))
        const { done, retries } = open(failing(makePool().pool, from, errors))
        await done
        expect(retries).to.have.lengthOf(4)
        await expectOnce()
      }
    })

    it(`fails a stream after five seconds when its name never resolves (${code})`, async function () {
      this.timeout(30_000)
      const pool = { connect: () => Promise.reject(socketError(code)) }
      const started = performance.now()
      const { done } = open(pool, { retry: { retries: 1e9, minDelayMs: 10, maxDelayMs: 100 } })
      const error = await failureOf(done)
      expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
      expect(error.message).to.include(code)
      expect(performance.now() - started).to.be.within(4900, 15_000)
    })
  }

  it('is asked for a lost COMMIT although its name does not resolve at first, and it starts then', async () => {
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
    const url = new URL(db.connectionString)
    url.port = String(proxy.port)
    const fired = proxy.arm({
      direction: 'down',
      at: ({ name, text }) => name === 'CommandComplete' && text === 'COMMIT',
      action: { do: 'reset' },
    })
    const errors = [...rowsOf(5, () => socketError('ENOTFOUND')), starting, starting]
    const { done, retries } = open(failing(makePool({ connectionString: url.href }).pool, 2, errors))
    await fired
    await done
    expect(retries).to.deep.equal([])
    await expectOnce()
  })
})
