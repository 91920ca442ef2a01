import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type PgBatchError, PgRowWriter, type WrittenRow } from '../../../lib/index.ts'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { FaultProxy, type Trap } from '../../support/proxy.ts'
import { seededRandom } from '../../support/random.ts'
import { settlesWithin, until } from '../../support/until.ts'

const CALLERS = 1000
/** Faults of a run; each is one of `TRAPS`, or the end of every session. */
const FAULTS = Number(process.env.PG_BATCH_TEST_ROW_FAULTS ?? 25)

interface Row {
  id: number
  key: number
  n: number
}

const sent = (sql: RegExp): Pick<Trap, 'direction' | 'at'> => ({
  direction: 'up',
  at: ({ name, text }) => (name === 'Query' || name === 'Parse') && sql.test(text),
})
const answered = (tag: RegExp): Pick<Trap, 'direction' | 'at'> => ({
  direction: 'down',
  at: ({ name, text }) => name === 'CommandComplete' && tag.test(text),
})

const TRAPS: readonly Omit<Trap, 'action'>[] = [
  { ...answered(/^COMMIT/) },
  { ...answered(/^COMMIT/), pass: 0.5 },
  { ...sent(/COMMIT$/) },
  { ...sent(/COMMIT$/), pass: 1 },
  { ...sent(/^BEGIN/), pass: 1 },
  { ...answered(/^INSERT/), skip: 50 },
  { direction: 'up', at: ({ name }) => name === 'Bind', skip: 70, pass: 0.5 },
  { direction: 'up', at: ({ name }) => name === 'CopyDone' },
  { direction: 'up', afterBytes: 3000 },
  { direction: 'down', afterBytes: 3000 },
]

describe('PgRowWriter under faults', function () {
  this.timeout(120_000)
  const database = useDatabase()
  const makePool = usePools(database)
  let proxy: FaultProxy

  beforeEach(async () => {
    await database.pool.query(`DROP TABLE IF EXISTS t, log CASCADE;
      CREATE TABLE t (id int UNIQUE, key int PRIMARY KEY, n int CHECK (n >= 0), seq serial);
      CREATE TABLE log (op text, id int);
      CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO log VALUES (TG_OP, NEW.id); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()`)
    proxy = await FaultProxy.start(Number(new URL(database.connectionString).port))
  })
  afterEach(() => proxy.stop())

  const throughProxy = () => {
    const url = new URL(database.connectionString)
    url.port = String(proxy.port)
    url.searchParams.set('application_name', 'row-writer')
    return makePool({ connectionString: url.href }).pool
  }

  const terminateAll = () =>
    database.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'row-writer'",
    )

  /** Breaks connections, one way after the other; then lets the load run to its end. */
  async function injectFaults(seed: number, isOver: () => boolean): Promise<number> {
    const random = seededRandom(seed)
    let fired = 0
    while (fired < FAULTS && !isOver()) {
      await sleep(random.integer(0, 20))
      if (random.next() < 0.2) {
        await terminateAll()
        fired++
        continue
      }
      const trap = random.pick(TRAPS)
      const action = { do: random.pick(['cut', 'reset'] as const) }
      const hit = await Promise.race([
        proxy.arm({ ...trap, skip: random.integer(0, trap.skip ?? 2), action }).then(() => true),
        sleep(300, false),
      ])
      if (hit) fired++
      proxy.disarm()
    }
    return fired
  }

  const WAYS = [
    { title: 'by COPY', options: {}, keys: Number.POSITIVE_INFINITY },
    {
      title: 'with returning',
      options: { returning: ['id', 'seq'] as const },
      keys: Number.POSITIVE_INFINITY,
    },
    {
      title: 'by upserts of few keys on 3 connections',
      options: {
        returning: ['id', 'seq'] as const,
        onConflict: { target: ['key'] as const, action: 'update' as const },
        concurrency: 3,
        laneOf: ({ key }: Row) => key,
      },
      keys: 300,
    },
    {
      title: 'with hardly a retry',
      options: { returning: ['id', 'seq'] as const, retry: { retries: 1, minDelayMs: 1, maxDelayMs: 1 } },
      keys: Number.POSITIVE_INFINITY,
    },
  ]
  for (const [index, { title, options, keys }] of WAYS.entries()) {
    it(`settles every promise with the truth about its own row, ${title}`, async () => {
      const writer = new PgRowWriter<Row, { id: number; seq: number }>({
        pool: throughProxy(),
        table: 't',
        maxCount: 200,
        retry: { minDelayMs: 1, maxDelayMs: 10 },
        ...options,
      })
      const settled = new Map<Row, WrittenRow<{ id: number; seq: number }> | PgBatchError>()
      let isOver = false
      let ids = 0
      const call = async (): Promise<void> => {
        for (let turn = 0; turn < 3 || !isOver; turn++) {
          const id = ids++
          const row = {
            id,
            key: keys === Number.POSITIVE_INFINITY ? id : id % keys,
            n: id % 100 === 7 ? -1 : id,
          }
          settled.set(row, await writer.write(row).catch((error: PgBatchError) => error))
        }
      }
      const callers = Promise.all(Array.from({ length: CALLERS }, call))
      const fired = await injectFaults(20261128 + index, () => false)
      isOver = true
      await settlesWithin(60_000, callers)
      await settlesWithin(5000, writer.end())

      expect(fired).to.equal(FAULTS)
      const log = await database.pool.query('SELECT op, id FROM log ORDER BY id')
      const byId = new Map<number, string[]>()
      for (const { op, id } of log.rows) byId.set(id, [...(byId.get(id) ?? []), op])
      let resolved = 0
      let failed = 0
      expect(settled.size).to.equal(ids)
      for (const [{ id, n }, result] of settled) {
        const ops = byId.get(id) ?? []
        if ('code' in result) {
          if (result.outcome === 'unknown') continue
          expect(result.outcome, `${id}: ${result.message}`).to.be.oneOf(['rolled-back', 'not-sent'])
          expect(ops, `${id}: ${result.message}`).to.deep.equal([])
          if (n < 0 && result.sqlState === '23514') continue
          expect(result.retryable, `${id}: ${result.message}`).to.equal(true)
          failed++
          continue
        }
        resolved++
        expect(n).to.be.at.least(0)
        expect(ops, `${id}`).to.deep.equal([result.action === 'inserted' ? 'INSERT' : 'UPDATE'])
        if ('returning' in options) expect(result.row!.id).to.equal(id)
        else expect(result).to.deep.equal({ action: 'inserted' })
      }
      expect(resolved).to.be.greaterThan(CALLERS)
      if (title !== 'with hardly a retry') expect(failed).to.equal(0)
      const { rowsReceived, rowsCommitted, rowsRejected, rowsPending } = writer.stats
      expect(rowsPending).to.equal(0)
      expect(rowsCommitted).to.equal(resolved)
      expect(rowsReceived).to.equal(rowsCommitted + rowsRejected)
    })
  }

  it('rejects what was in flight during an outage that outlasts the retries, and continues after it', async () => {
    const retry = { retries: 2, minDelayMs: 1, maxDelayMs: 2 }
    const writer = new PgRowWriter<Row>({ pool: throughProxy(), table: 't', retry, maxCount: 2 })
    const write = (id: number) => writer.write({ id, key: id, n: id })
    await write(1)
    proxy.refuse()
    proxy.cutAll()
    const errors = await Promise.all([2, 3, 4].map(id => write(id).catch((error: PgBatchError) => error)))
    for (const error of errors) {
      expect(error).to.include({ code: 'CONNECTION', retryable: true })
      expect((error as PgBatchError).outcome).to.be.oneOf(['not-sent', 'rolled-back'])
    }
    await proxy.accept()
    expect(await write(5)).to.deep.equal({ action: 'inserted' })
    await writer.end()
    const { rows } = await database.pool.query('SELECT id FROM t ORDER BY id')
    expect(rows).to.deep.equal([{ id: 1 }, { id: 5 }])
  })

  it('rejects the first rows if the server is down at the start, and continues', async () => {
    const retry = { retries: 1, minDelayMs: 1, maxDelayMs: 2 }
    const writer = new PgRowWriter<Row>({ pool: throughProxy(), table: 't', retry })
    proxy.refuse()
    const error = await writer.write({ id: 1, key: 1, n: 1 }).catch(error => error)
    expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
    await proxy.accept()
    expect(await writer.write({ id: 1, key: 1, n: 1 })).to.deep.equal({ action: 'inserted' })
    await writer.end()
  })

  for (const [title, options] of [
    ['without', {}],
    ['with', { returning: ['id'] }],
  ] as const) {
    it(`resolves a row whose COMMIT's answer was lost, ${title} returning`, async () => {
      const writer = new PgRowWriter<Row, { id: number }>({ pool: throughProxy(), table: 't', ...options })
      const fired = proxy.arm({ ...answered(/^COMMIT/), action: { do: 'cut' } })
      const written = await writer.write({ id: 1, key: 1, n: 1 })
      await fired
      expect(written).to.deep.equal({ action: 'inserted', ...(title === 'with' ? { row: { id: 1 } } : {}) })
      await writer.end()
      expect((await database.pool.query('SELECT op FROM log')).rows).to.deep.equal([{ op: 'INSERT' }])
    })
  }

  it('ends when the table does not exist, or was dropped', async () => {
    const writer = new PgRowWriter<Row>({ pool: throughProxy(), table: 't', maxCount: 2 })
    const write = (id: number) => writer.write({ id, key: id, n: id }).catch((error: PgBatchError) => error)
    await write(1)
    await database.pool.query('DROP TABLE t')
    await write(2)
    const [third, fourth, fifth] = await Promise.all([write(3), write(4), write(5)])
    expect([third, fourth, fifth].map(error => 'code' in error! && error.code)).to.deep.equal(
      new Array(3).fill('TABLE_NOT_FOUND'),
    )
    expect(await write(6)).to.include({ code: 'TABLE_NOT_FOUND', outcome: 'not-sent' })
    await writer.end()
    expect(writer.stats).to.include({ rowsPending: 0, rowsCommitted: 1, rowsRejected: 4 })
  })

  it('leaves no session in a transaction when it is destroyed while the server hangs', async () => {
    const pool = throughProxy()
    const writer = new PgRowWriter<Row>({ pool, table: 't', maxCount: 1, returning: ['id'] })
    const blocker = await database.pool.connect()
    await blocker.query('BEGIN; LOCK TABLE t')
    const error = writer.write({ id: 1, key: 1, n: 1 }).catch((error: PgBatchError) => error)
    await until('the row waits for the lock', async () => {
      const { rows } = await database.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'row-writer' AND wait_event_type = 'Lock'",
      )
      return rows.length === 1
    })
    writer.destroy()
    expect(await settlesWithin(2000, error)).to.include({ code: 'ABORTED' })
    await settlesWithin(2000, writer.end())
    await blocker.query('ROLLBACK')
    blocker.release()
    expect(pool.idleCount).to.equal(pool.totalCount)
    const { rows } = await database.pool.query('SELECT count(*)::int AS count FROM t')
    expect(rows).to.deep.equal([{ count: 0 }])
  })
})
