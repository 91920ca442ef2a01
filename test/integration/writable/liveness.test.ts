import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { lockTable, terminate, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { settlesWithin, until } from '../../support/until.ts'
import {
  countOf,
  expectBalanced,
  failureOf,
  METHODS,
  options,
  rejectionOf,
  rowsOf,
} from '../../support/writing.ts'

const WITHIN_MS = 1000

async function* endless() {
  for (let id = 0; ; id += 100) yield rowsOf(100, index => ({ id: index }), id)
}

describe('a pipeline always settles', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)

  before(() => process.on('unhandledRejection', note))
  after(() => process.off('unhandledRejection', note))
  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS live; CREATE TABLE live (id int)')
  })
  afterEach(async () => {
    await new Promise(resolve => setImmediate(resolve))
    expect(unhandled.splice(0)).to.deep.equal([])
  })

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const start = (
        source: Readable,
        extra: { signal?: AbortSignal; max?: number; retry?: object; inTransaction?: () => void } = {},
      ) => {
        const named = makePool({ max: extra.max ?? 10 })
        const writable = new PgBatchWritable<{ id: number }>({
          retry: extra.retry ?? (false as const),
          pool: named.pool,
          table: 'live',
          ...options(way),
          ...(extra.signal ? { signal: extra.signal } : {}),
          ...(extra.inTransaction ? { inTransaction: extra.inTransaction } : {}),
        })
        const done = pipeline(source, writable)
        done.catch(() => {})
        return { writable, done, ...named }
      }
      const untilCommits = (writable: PgBatchWritable<{ id: number }>, count: number) =>
        until('commits', () => writable.stats.transactions >= count)

      it('when its source is destroyed midway', async () => {
        const source = Readable.from(endless())
        const { writable, done } = start(source)
        await untilCommits(writable, 1)
        source.destroy(new Error('the source broke'))
        expect((await rejectionOf(settlesWithin(WITHIN_MS, done))).message).to.equal('the source broke')
        await until('closed', () => writable.closed, WITHIN_MS)
        expect(await countOf(db.pool, 'live')).to.equal(writable.stats.rowsCommitted)
        expectBalanced(writable.stats)
      })

      it('when its signal was aborted before it began', async () => {
        const reason = new Error('never mind')
        const { done, writable } = start(Readable.from(endless()), { signal: AbortSignal.abort(reason) })
        const error = await failureOf(settlesWithin(WITHIN_MS, done))
        expect(error).to.include({ code: 'ABORTED', cause: reason })
        expect(writable.stats.transactions).to.equal(0)
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('when its signal is aborted midway', async () => {
        const controller = new AbortController()
        const { writable, done } = start(Readable.from(endless()), { signal: controller.signal })
        await untilCommits(writable, 2)
        controller.abort(new Error('enough'))
        expect(await failureOf(settlesWithin(WITHIN_MS, done))).to.include({ code: 'ABORTED' })
        await until('closed', () => writable.closed, WITHIN_MS)
        expect(await countOf(db.pool, 'live')).to.equal(writable.stats.rowsCommitted)
      })

      it('when it is destroyed while another session holds a lock on the table', async () => {
        const unlock = await lockTable(db, 'live')
        const { writable, name, done } = start(Readable.from(endless()))
        try {
          await untilBlocked(db, name)
          writable.destroy()
          await rejectionOf(settlesWithin(WITHIN_MS, done))
          await until('closed', () => writable.closed, WITHIN_MS)
        } finally {
          await unlock()
        }
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('and fails when it is destroyed without an error after its end', async () => {
        const unlock = await lockTable(db, 'live')
        // without a callback COMMIT may be sent with the rows, and would be run after the lock is released
        const { writable, name, done } = start(Readable.from([rowsOf(10, id => ({ id }))]), {
          inTransaction: () => {},
        })
        try {
          await untilBlocked(db, name)
          await until('the end', () => writable.writableEnded && writable.writableLength === 0)
          writable.destroy()
          const error = await rejectionOf(settlesWithin(WITHIN_MS, done))
          expect(error).to.have.property('code', 'ERR_STREAM_PREMATURE_CLOSE')
        } finally {
          await unlock()
        }
        expect(writable.stats).to.include({ rowsCommitted: 0, rowsPending: 10 })
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('when its signal is aborted while the pool has no client to give', async () => {
        const controller = new AbortController()
        const { pool, done, writable } = start(Readable.from([[{ id: 1 }]]), {
          signal: controller.signal,
          max: 1,
        })
        const held = await pool.connect()
        try {
          await until('the stream waits for a client', () => pool.waitingCount > 0)
          controller.abort()
          expect(await failureOf(settlesWithin(WITHIN_MS, done))).to.include({ code: 'ABORTED' })
          await until('closed', () => writable.closed, WITHIN_MS)
        } finally {
          held.release()
        }
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('when the server refuses a row of an endless source', async () => {
        async function* poisoned() {
          let batch = 0
          for await (const rows of endless()) yield batch++ === 5 ? [...rows, { id: 'none' as never }] : rows
        }
        const { done, writable } = start(Readable.from(poisoned()))
        const error = await failureOf(settlesWithin(WITHIN_MS * 3, done))
        expect(error).to.include({ batchId: 6 })
        await until('closed', () => writable.closed, WITHIN_MS)
        expect(await countOf(db.pool, 'live')).to.equal(500)
      })

      it('when its backend is ended in the middle of a transaction', async () => {
        const unlock = await lockTable(db, 'live')
        const { done, name, writable } = start(Readable.from(endless()))
        try {
          await untilBlocked(db, name)
          await terminate(db, name)
          const error = await failureOf(settlesWithin(WITHIN_MS, done))
          expect(error).to.include({ code: 'CONNECTION', outcome: 'rolled-back' })
          await until('closed', () => writable.closed, WITHIN_MS)
        } finally {
          await unlock()
        }
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('and continues when idle backends are ended between its transactions', async () => {
        const source = new PassThrough({ objectMode: true })
        const { done, name, writable } = start(source, { retry: { minDelayMs: 1 } })
        source.write([{ id: 1 }])
        await untilCommits(writable, 1)
        expect(await terminate(db, name)).to.be.at.least(1)
        await until('the pool has noticed', async () => (await terminate(db, name)) === 0)
        source.end([{ id: 2 }])
        await settlesWithin(WITHIN_MS, done)
        expect(await countOf(db.pool, 'live')).to.equal(2)
      })

      it('when it is destroyed or ended before anything was written', async () => {
        const { pool } = makePool()
        const unused = new PgBatchWritable({ retry: false, pool, table: 'live', ...options(way) })
        unused.destroy()
        await until('closed', () => unused.closed, WITHIN_MS)
        const empty = new PgBatchWritable({ retry: false, pool, table: 'live', ...options(way) })
        await settlesWithin(WITHIN_MS, pipeline(Readable.from([]), empty))
        expect(await countOf(db.pool, 'live')).to.equal(0)
      })

      it('and leaves no listeners on the clients of the pool', async () => {
        const { pool } = makePool({ max: 1 })
        const listeners = async () => {
          const client = await pool.connect()
          try {
            return client
              .eventNames()
              .map(event => `${String(event)}: ${client.listenerCount(event as 'error')}`)
          } finally {
            client.release()
          }
        }
        const before = await listeners()
        for (const last of [{ id: 1 }, { id: 'none' as never }]) {
          const writable = new PgBatchWritable<{ id: number }>({
            retry: false,
            pool,
            table: 'live',
            ...options(way),
          })
          await pipeline(Readable.from([rowsOf(100, id => ({ id })), [last]]), writable).catch(() => {})
          await until('closed', () => writable.closed)
        }
        expect(await listeners()).to.deep.equal(before)
      })
    })
  }
})
