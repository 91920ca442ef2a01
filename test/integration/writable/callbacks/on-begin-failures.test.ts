import { once } from 'node:events'
import { expect } from 'chai'
import type { PgTransactionClient } from '../../../../lib/connection/pg-transaction-client.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, write } from '../../../support/writing.ts'

type Row = Record<string, unknown>

describe('onBegin', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)'))

  const start = (extra: Partial<PgBatchWritableOptions<Row>>): PgBatchWritable<Row> =>
    new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      ...extra,
    } as PgBatchWritableOptions<Row>)

  /** Writes batches, and resolves when the stream has closed. */
  async function finish(stream: PgBatchWritable<Row>, batches: readonly Row[][]): Promise<void> {
    const closed = once(stream, 'close')
    for (const batch of batches) stream.write(batch)
    stream.end()
    await closed
  }

  it('fails the stream where it throws, before anything is sent, and in a later transaction', async () => {
    for (const failsAt of [1, 2]) {
      const { pool } = makePool({ max: 1 })
      let calls = 0
      const onBegin = (): void => {
        if (++calls === failsAt) throw new Error('no tenant')
      }
      const error = await failureOf(write<Row>([[{ id: 1 }]], { pool, table: 't', onBegin }))
      expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'onBegin', retryable: false })
      expect(error.outcome).to.equal(failsAt === 1 ? 'not-sent' : 'rolled-back')
      expect((error.cause as Error).message).to.equal('no tenant')
      expect(pool.totalCount, 'its client is whole').to.equal(1)
      expect(pool.idleCount).to.equal(1)
    }
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  for (const during of ['introspection', 'a transaction'] as const) {
    it(`that does not end fails the stream after callbackTimeoutMs, in ${during}`, async () => {
      let calls = 0
      const onBegin = (): Promise<void> =>
        ++calls === (during === 'introspection' ? 1 : 2) ? new Promise(() => {}) : Promise.resolve()
      const error = await failureOf(
        write<Row>([[{ id: 1 }]], { pool: db.pool, table: 't', onBegin, callbackTimeoutMs: 100 }),
      )
      expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'onBegin' })
      expect(error.message).to.match(/`onBegin` has not ended within 100 ms/)
    })

    it(`whose connection is lost is called again on another, in ${during}`, async () => {
      let calls = 0
      const stream = start({
        onBegin: async client => {
          calls++
          if (calls === (during === 'introspection' ? 1 : 2)) {
            const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
            await db.pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
            await client.query('SELECT 1')
          }
        },
      })
      let retries = 0
      stream.on('retry', ({ error }) => {
        retries++
        expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'onBegin', retryable: true })
      })
      await finish(stream, [[{ id: 1 }]])
      expect(retries).to.equal(1)
      expect(calls).to.equal(3)
      expect(await countOf(db.pool, 't')).to.equal(1)
    })
  }

  for (const way of METHODS) {
    it(`that ignores an error, or ends the transaction, fails the stream, by ${way.title}`, async () => {
      const misuses: [(client: PgTransactionClient) => Promise<unknown>, RegExp][] = [
        [
          client => client.query('SELECT 1/0').catch(() => {}),
          /A statement of `onBegin` failed and its error was ignored/,
        ],
        [
          client => Object.getPrototypeOf(client).query.call(client, 'ROLLBACK'),
          /The transaction was ended, and not by the stream \(by `onBegin`\?\)/,
        ],
        [client => client.query('COMMIT'), /`onBegin` may not use COMMIT without a BEGIN of its own/],
        [client => client.query('BEGIN'), /`onBegin` has left a BEGIN without its COMMIT or ROLLBACK/],
      ]
      // the first call is before the table is introspected
      for (const [misuse, message, from] of misuses.flatMap(one => [
        [...one, 1] as const,
        [...one, 2] as const,
      ])) {
        let calls = 0
        const error = await failureOf(
          write<Row>([[{ id: 1 }, { id: 2 }]], {
            pool: makePool().pool,
            table: 't',
            onBegin: async client => {
              if (++calls >= from) await misuse(client)
            },
            ...options(way),
          }),
        )
        expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'onBegin' })
        expect(error.message).to.match(message)
        expect(await countOf(db.pool, 't')).to.equal(0)
      }
    })
  }
})
