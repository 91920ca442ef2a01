import { expect } from 'chai'
import { type PgBatchError, PgRowWriter } from '../../../lib/index.ts'
import { FaultProxy } from '../../support/network/proxy.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import {
  answered,
  SINGLE_ROWS_TABLES,
  SINGLE_ROWS_WAYS,
  type SingleRow,
  writeSingleRows,
} from '../../support/single-rows.ts'
import { settlesWithin, until } from '../../support/until.ts'

const CALLERS = 1000
/** Faults of a run; the fault suite has many more. */
const FAULTS = 25

type Row = SingleRow

describe('PgRowWriter under faults', function () {
  this.timeout(120_000)
  const database = useDatabase()
  const makePool = usePools(database)
  let proxy: FaultProxy

  beforeEach(async () => {
    await database.pool.query(SINGLE_ROWS_TABLES)
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

  for (const [index, way] of SINGLE_ROWS_WAYS.entries()) {
    it(`settles every promise with the truth about its own row, ${way.title}`, async () => {
      const end = await writeSingleRows({
        way,
        pool: throughProxy(),
        proxy,
        query: async text => (await database.pool.query(text)).rows,
        terminateAll,
        callers: CALLERS,
        faults: FAULTS,
        seed: 20261128 + index,
      })
      expect(end).to.include({ fired: FAULTS, lost: 0, doubled: 0 })
      expect(end.untrue).to.deep.equal([])
      expect(end.resolved).to.be.greaterThan(CALLERS)
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
