import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { RetryEvent } from '../../../../lib/writable/events.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { run } from '../../../support/processes/run.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { terminate, usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import { countOf, failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  id: number
}

const never = (): Promise<never> => new Promise(() => {})
const rows = rowsOf(50, id => ({ id }))

describe('a callback that does not end', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int CHECK (id >= 0))')
  })

  const start = (
    extra: Partial<PgBatchWritableOptions<Row>>,
    batches: readonly (readonly Row[])[] = [rows],
  ) => {
    const writable = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      callbackTimeoutMs: 150,
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      ...extra,
    } as PgBatchWritableOptions<Row>)
    const retries: RetryEvent[] = []
    writable.on('retry', retry => retries.push(retry))
    const done = pipeline(Readable.from(batches), writable)
    done.catch(() => {})
    return { writable, done, retries }
  }

  it('because it waits for a client of the full pool, fails the stream, and the pool continues', async () => {
    const { pool } = makePool({ max: 1 })
    const { done, retries } = start({ pool, inTransaction: async () => void (await pool.query('SELECT 1')) })
    const error = await failureOf(settlesWithin(3000, done))
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'inTransaction', outcome: 'rolled-back' })
    expect(error).to.include({ retryable: false, batchId: 1 })
    expect(error.message).to.match(/`inTransaction` has not ended within 150 ms .*`callbackTimeoutMs`/)
    expect(retries).to.deep.equal([])
    expect(await countOf(db.pool, 't')).to.equal(0)
    expect(pool.totalCount, 'its client is whole').to.equal(1)
  })

  it('because each of its queries is followed by another one, fails the stream', async () => {
    const { done } = start({
      inTransaction: client => {
        const again = (): Promise<unknown> => client.query('SELECT 1').then(again)
        again().catch(() => {}) // in the end its query is refused
      },
    })
    const error = await failureOf(settlesWithin(3000, done))
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'inTransaction', outcome: 'rolled-back' })
    expect(error.message).to.contain('callbackTimeoutMs')
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('leaves no statement running on the server, whose locks would outlive the stream', async () => {
    const { done } = start({
      inTransaction: async client => void (await client.query("SELECT 'left behind', pg_sleep(60)")),
    })
    await failureOf(settlesWithin(5000, done))
    const running = `SELECT count(*)::int FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT ''left behind''%'`
    await until('the statement has ended', async () => (await valuesOf(db.pool, running))[0]![0] === 0, 5000)
  })

  it('while the server works for it, fails the stream at once, and that connection ends', async () => {
    const { pool } = makePool()
    const { done } = start({
      pool,
      inTransaction: async client => void (await client.query('SELECT pg_sleep(5)')),
    })
    const error = await failureOf(settlesWithin(2000, done))
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('and uses its client later, is refused', async () => {
    let resume!: () => void
    const waits = new Promise<void>(resolve => {
      resume = resolve
    })
    let refused: Error | undefined
    const { done } = start({
      async inTransaction(client) {
        await waits
        await client.query('INSERT INTO t VALUES (999)').catch((error: Error) => {
          refused = error
        })
      },
    })
    await failureOf(done)
    resume()
    await until('refused', () => refused !== undefined)
    expect(refused!.message).to.match(/`inTransaction` has ended/)
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('after the COMMIT fails the stream, its rows committed', async () => {
    const { done, writable } = start({ afterCommit: never })
    const error = await failureOf(settlesWithin(3000, done))
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'afterCommit', outcome: 'committed' })
    expect(error.message).to.contain('callbackTimeoutMs')
    expect(writable.stats).to.include({ rowsCommitted: 50, rowsPending: 0 })
    expect(await countOf(db.pool, 't')).to.equal(50)
  })

  it('of the dead letter fails the stream, its rows committed; a slow write per row does not', async () => {
    const bad = [...rows, ...rowsOf(6, () => ({ id: -1 }))]
    const stuck = new Writable({ objectMode: true, write() {} })
    const { done } = start({ rejectLimit: 10, deadLetter: stuck }, [bad])
    const error = await failureOf(settlesWithin(3000, done))
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'deadLetter', outcome: 'committed' })
    expect(await countOf(db.pool, 't')).to.equal(50)
    const slow = new Writable({
      objectMode: true,
      write: (_reject, _encoding, callback) => void setTimeout(callback, 60),
    })
    await start({ rejectLimit: 10, deadLetter: slow }, [bad]).done
  })

  it('in one of several lanes fails the stream', async () => {
    const { done } = start(
      {
        concurrency: 3,
        laneOf: ({ id }) => id % 3,
        inTransaction: (_, batch) => (batch[0]!.id % 3 === 1 ? never() : undefined),
      },
      rowsOf(5, () => rows),
    )
    expect(await failureOf(settlesWithin(3000, done))).to.include({ code: 'CALLBACK_FAILED' })
  })

  it('ends with its connection, and the batch is tried again', async () => {
    const { pool, name } = makePool()
    let calls = 0
    const { done, retries } = start({
      pool,
      callbackTimeoutMs: 60_000,
      inTransaction: () => (++calls === 1 ? never() : undefined),
    })
    await until('the callback runs', () => calls === 1)
    await terminate(db, name)
    await settlesWithin(5000, done)
    expect(calls).to.equal(2)
    expect(retries[0]!.error).to.include({ code: 'CALLBACK_FAILED', retryable: true, outcome: 'rolled-back' })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
      [50, 50],
    ])
  })

  it('ends with its connection, also where it hides the error of its query and continues', async () => {
    const { pool, name } = makePool()
    let calls = 0
    const { done } = start({
      pool,
      callbackTimeoutMs: 60_000,
      retry: false,
      async inTransaction(client) {
        calls++
        await client.query('SELECT pg_sleep(60)').catch(() => {})
        await never()
      },
    })
    await until('it sleeps', async () => {
      const { rows } = await db.pool.query(
        "SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'PgSleep'",
        [name],
      )
      return rows.length === 1
    })
    await terminate(db, name)
    const error = await failureOf(settlesWithin(5000, done))
    expect(error).to.include({ outcome: 'rolled-back', retryable: true })
    expect(calls).to.equal(1)
  })

  it('is tried again when an ORM wraps the error of the lost connection', async () => {
    const { pool, name } = makePool()
    let calls = 0
    const { done, retries } = start({
      pool,
      async inTransaction(client: PgClientLike) {
        if (++calls > 1) return
        await Promise.all([
          client.query('SELECT pg_sleep(5)').catch((cause: unknown) => {
            throw new Error('Failed query', { cause })
          }),
          terminate(db, name),
        ])
      },
      callbackTimeoutMs: 10_000,
    })
    await settlesWithin(8000, done)
    expect(retries[0]!.error).to.include({ code: 'CALLBACK_FAILED', retryable: true })
    expect(calls).to.equal(2)
  })

  it('fails a process that has nothing else to do, instead of ending it with status 0', async () => {
    const cwd = fileURLToPath(new URL('../../../../', import.meta.url))
    const script = fileURLToPath(new URL('fixtures/waits-for-its-pool.ts', import.meta.url))
    const args = ['--import', 'tsx', script, db.connectionString]
    const { status, stderr } = await run(process.execPath, args, { cwd, timeoutMs: 25_000 })
    expect(stderr).to.contain('callbackTimeoutMs')
    expect(status).to.equal(1)
  })
})
