import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { CommitEvent, RetryEvent } from '../../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, roleWith, terminate, untilBlocked, usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
} from '../../../support/writing.ts'
import { rejectedBy } from '../load.ts'

interface Row {
  id: number
}

/** Fails as a statement does that is cancelled. */
const CANCELLED = "DO $$ BEGIN RAISE SQLSTATE '57014'; END $$"

const FAST = { minDelayMs: 1, maxDelayMs: 5 }

describe('a transient failure', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, bad; CREATE TABLE t (id int)')
  })

  const start = (batches: Iterable<readonly Row[]>, extra: object = {}, named = makePool()) => {
    const writable = new PgBatchWritable<Row>({ pool: named.pool, table: 't', retry: FAST, ...extra })
    const retries: RetryEvent[] = []
    const commits: CommitEvent[] = []
    writable.on('retry', retry => retries.push(retry)).on('commit', commit => commits.push(commit))
    const rejected = rejectedBy(writable)
    const done = pipeline(Readable.from(batches), writable)
    done.catch(() => {})
    return { writable, done, retries, commits, rejected, named }
  }
  const expectOnce = async (count: number) =>
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
      [count, count],
    ])

  /** An `inTransaction` that fails so often, after the rows. */
  const failing = (times: number, sqlState: string) => {
    let left = times
    return async (client: PgClientLike) => {
      if (left-- > 0) await client.query(`DO $$ BEGIN RAISE SQLSTATE '${sqlState}'; END $$`)
    }
  }

  it('that has ended the session between two statements is reported with its reason', async () => {
    const named = makePool()
    async function* source() {
      yield [{ id: 0 }]
      await until('the session to wait in its transaction', async () => {
        const { rows } = await db.pool.query(
          `SELECT FROM pg_stat_activity WHERE application_name = $1
           AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '300 ms'`,
          [named.name],
        )
        return rows.length === 1
      })
      await terminate(db, named.name)
      await until('the pool to have heard of it', () => ended)
      yield [{ id: 1 }]
    }
    let ended = false
    named.pool.on('acquire', client => client.once('error', () => (ended = true)))
    const writable = new PgBatchWritable<Row>({
      pool: named.pool,
      table: 't',
      retry: FAST,
      method: 'insert', // its last rows wait for COMMIT, and the session is idle
      checkpoint: { name: named.name, position: ({ id }) => ({ partition: '', offset: id }) },
      patienceMs: 60_000,
    })
    const retries: RetryEvent[] = []
    writable.on('retry', retry => retries.push(retry))
    await settlesWithin(5000, pipeline(Readable.from(source()), writable))
    expect(retries.map(({ error }) => error.sqlState)).to.deep.equal(['57P01'])
    expect(retries[0]!.error.message).to.contain('terminating connection due to administrator command')
    await expectOnce(2)
  })

  for (const sqlState of ['40001', '40P01', '53100', '55P03', '57014']) {
    it(`of SQLSTATE ${sqlState} is retried and reported, and nothing of it is left`, async () => {
      const { done, retries, commits, rejected } = start([rowsOf(100, id => ({ id }))], {
        inTransaction: failing(3, sqlState),
        rejectLimit: 100,
        deadLetter: { table: 'bad' },
      })
      await done
      expect(retries.map(({ attempt, error }) => [attempt, error.sqlState, error.outcome])).to.deep.equal(
        [1, 2, 3].map(attempt => [attempt, sqlState, 'rolled-back']),
      )
      for (const { delayMs, error, attempt } of retries) {
        expect(delayMs).to.be.within(0, Math.min(5, 2 ** (attempt - 1)))
        expect(error.retryable).to.equal(true)
      }
      expect(commits.map(({ attempts }) => attempts)).to.deep.equal([4])
      expect(rejected).to.deep.equal([])
      expect(await countOf(db.pool, 'bad')).to.equal(0)
      await expectOnce(100)
    })
  }

  it('in front of COMMIT leaves no open transaction on its connection', async () => {
    const named = makePool({ max: 1 })
    let left = 1
    named.pool.on('connect', client => {
      const query = client.query as (...words: unknown[]) => unknown
      client.query = ((statement: { text?: string }, ...others: unknown[]) => {
        const { text } = statement
        const isCancelled = text?.endsWith('COMMIT') && left-- > 0
        const first = isCancelled ? { ...statement, text: `${CANCELLED}; ${text}` } : statement
        return query.call(client, first, ...others)
      }) as never
    })
    const { done, retries } = start([rowsOf(100, id => ({ id }))], { inTransaction: async () => {} }, named)
    await done
    expect(retries.map(({ error }) => [error.sqlState, error.outcome])).to.deep.equal([
      ['57014', 'rolled-back'],
    ])
    await expectOnce(100)
  })

  it('never reaches the dead letter, although its batch has bad rows', async () => {
    await db.pool.query('ALTER TABLE t ADD CHECK (id >= 0)')
    const rows = rowsOf(100, id => ({ id: id === 50 ? -1 : id }))
    const { done, rejected, commits } = start([rows], { inTransaction: failing(2, '40001'), rejectLimit: 1 })
    await done
    expect(rejected.map(({ index }) => index)).to.deep.equal([50])
    expect(commits.map(({ attempts }) => attempts)).to.deep.equal([3])
    await expectOnce(99)
  })

  it('is final after the last retry', async () => {
    const { done, retries } = start([[{ id: 1 }]], {
      inTransaction: failing(99, '40001'),
      retry: { ...FAST, retries: 2 },
    })
    expect(await failureOf(done)).to.include({ sqlState: '40001', retryable: true, outcome: 'rolled-back' })
    expect(retries).to.have.length(2)
    await expectOnce(0)
  })

  it('is final at once with retry: false, and where shouldRetry says so', async () => {
    const asked: unknown[] = []
    for (const retry of [false, { shouldRetry: (error: Error) => asked.push(error) < 1 }] as const) {
      const { done, retries } = start([[{ id: 1 }]], { inTransaction: failing(99, '40001'), retry })
      expect(await failureOf(done)).to.include({ sqlState: '40001' })
      expect(retries).to.deep.equal([])
    }
    expect(asked).to.have.length(1)
  })

  it('is final once maxElapsedMs have passed', async () => {
    const retry = { minDelayMs: 1, maxDelayMs: 2, maxElapsedMs: 60, retries: Number.POSITIVE_INFINITY }
    const { done, retries } = start([[{ id: 1 }]], { inTransaction: failing(1e9, '40001'), retry })
    expect(await failureOf(settlesWithin(5000, done))).to.include({ sqlState: '40001' })
    expect(retries.length).to.be.above(0)
  })

  it('that is permanent is not retried', async () => {
    const { done, retries } = start([[{ id: 1 }]], { inTransaction: failing(99, '42501') })
    expect(await failureOf(done)).to.include({ sqlState: '42501', retryable: false })
    expect(retries).to.deep.equal([])
  })

  for (const how of ['a signal', 'destroy()'] as const) {
    it(`is waited for no longer after ${how}`, async () => {
      const controller = new AbortController()
      const retry = { minDelayMs: 2 ** 30, maxDelayMs: 2 ** 30 }
      const { done, retries, writable } = start([[{ id: 1 }]], {
        inTransaction: failing(99, '40001'),
        retry,
        signal: controller.signal,
      })
      await until('a retry', () => retries.length > 0)
      if (how === 'a signal') controller.abort()
      else writable.destroy()
      const started = performance.now()
      await settlesWithin(1000, done).catch(() => {})
      await until('closed', () => writable.closed, 1000)
      expect(performance.now() - started).to.be.below(500)
      await expectOnce(0)
    })
  }

  for (const way of METHODS) {
    it(`of backends that are ended again and again loses and doubles no row, by ${way.title}`, async () => {
      const batches = batchesOf(
        rowsOf(4000, id => ({ id })),
        100,
      )
      let calls = 0
      let storms = 0
      const named = makePool()
      const { done, retries, writable } = start(
        batches,
        {
          ...options(way),
          concurrency: 2,
          async inTransaction() {
            if (++calls % 6 !== 5 || storms === 3 || retries.length < storms) return
            storms++
            await terminate(db, named.name)
          },
        },
        named,
      )
      await done
      expect(storms).to.equal(3)
      expect(retries.length).to.be.at.least(3)
      expect(writable.stats).to.include({ rowsCommitted: 4000, rowsPending: 0 })
      await expectOnce(4000)
    })
  }

  it('of a lock that does not come in time recovers when it does', async () => {
    const hasty = await roleWith(db, { lock_timeout: '50' })
    const unlock = await lockTable(db, 't')
    try {
      const { done, retries } = start([[{ id: 1 }]], {}, makePool(hasty.config))
      await until('a retry', () => retries.length > 0)
      expect(retries[0]!.error).to.include({ sqlState: '55P03' })
      await unlock()
      await done
      await expectOnce(1)
    } finally {
      await unlock()
      await hasty.drop()
    }
  })

  it('of two writers that deadlock lets both succeed', async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS pair; CREATE TABLE pair (id int PRIMARY KEY, n int); INSERT INTO pair VALUES (1, 0), (2, 0)',
    )
    let inside = 0
    const update = (first: number, second: number) => ({
      async inTransaction(client: PgClientLike) {
        await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [first])
        inside++
        await until('both inside', () => inside >= 2)
        await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [second])
      },
    })
    const writers = [start([[{ id: 1 }]], update(1, 2)), start([[{ id: 2 }]], update(2, 1))]
    await Promise.all(writers.map(({ done }) => done))
    expect(writers.flatMap(({ retries }) => retries.map(({ error }) => error.sqlState))).to.include('40P01')
    expect(await valuesOf(db.pool, 'SELECT n FROM pair')).to.deep.equal([[2], [2]])
    await expectOnce(2)
  })

  it('of serializable transactions that meet lets both succeed', async () => {
    await db.pool.query('DROP TABLE IF EXISTS sums; CREATE TABLE sums (n int)')
    const strict = await roleWith(db, { default_transaction_isolation: 'serializable' })
    let inside = 0
    const inTransaction = async (client: PgClientLike) => {
      const { rows } = await client.query('SELECT count(*)::int AS n FROM sums')
      inside++
      await until('both inside', () => inside >= 2)
      await client.query('INSERT INTO sums VALUES ($1)', [rows[0]!.n])
    }
    const writers = [1, 2].map(id => start([[{ id }]], { inTransaction }, makePool(strict.config)))
    await Promise.all(writers.map(({ done }) => done))
    expect(writers.flatMap(({ retries }) => retries.map(({ error }) => error.sqlState))).to.include('40001')
    expect(await valuesOf(db.pool, 'SELECT n FROM sums ORDER BY n')).to.deep.equal([[0], [1]])
    await expectOnce(2)
    await strict.drop()
  })

  it('of a backend that is ended while it waits for a lock is reported as rolled back', async () => {
    const unlock = await lockTable(db, 't')
    try {
      const { done, retries, named } = start([[{ id: 1 }]])
      await untilBlocked(db, named.name)
      await terminate(db, named.name)
      await until('a retry', () => retries.length > 0)
      expect(retries[0]!.error).to.include({ code: 'CONNECTION', outcome: 'rolled-back', sqlState: '57P01' })
      await unlock()
      await done
      await expectOnce(1)
    } finally {
      await unlock()
    }
  })
})
