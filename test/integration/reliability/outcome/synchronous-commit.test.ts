import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import type { EmbeddedServer } from '../../../../lib/embedded/embedded-server.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { startMemoryServer } from '../../../support/servers/memory-server.ts'
import { until } from '../../../support/until.ts'
import { failureOf, rowsOf } from '../../../support/writing.ts'

const { PG_BATCH_TEST_PACKAGES } = process.env

describe('a COMMIT that waits for its synchronous standby', function () {
  this.timeout(120_000)
  let server: EmbeddedServer
  let admin: pg.Pool
  let pool: pg.Pool

  before(async () => {
    server = await startMemoryServer({
      ...(PG_BATCH_TEST_PACKAGES ? { packageRoot: PG_BATCH_TEST_PACKAGES } : {}),
    })
    // what the tests do themselves never waits
    admin = new pg.Pool({
      connectionString: server.connectionString,
      options: '-c synchronous_commit=local',
    })
    admin.on('error', () => {})
  })
  after(async () => {
    await admin?.end()
    await server?.stop()
  })
  beforeEach(async () => {
    await admin.query('DROP TABLE IF EXISTS t, pg_batch_checkpoint; CREATE TABLE t (id int PRIMARY KEY)')
    pool = new pg.Pool({ connectionString: server.connectionString, application_name: 'writer', max: 20 })
    pool.on('error', () => {})
  })
  afterEach(async () => {
    await names('')
    await pool.end()
  })

  /** Makes every commit wait for standbys of these names, of which there are none. */
  const names = async (value: string) => {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${value}'`)
    await admin.query('SELECT pg_reload_conf()')
    await until('the names to be in force', async () => {
      const client = new pg.Client({ connectionString: server.connectionString })
      await client.connect()
      const { rows } = await client.query('SHOW synchronous_standby_names')
      await client.end()
      return rows[0].synchronous_standby_names === value
    })
  }
  const waiting = async () =>
    (
      await admin.query(
        "SELECT pid, query FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'SyncRep'",
      )
    ).rows
  const visible = async () => Number((await admin.query('SELECT count(*) FROM t')).rows[0].count)

  const open = (extra: object = {}) => {
    const sink = new PgBatchWritable<{ id: number }>({
      pool,
      table: 't',
      commitTimeoutMs: 1000,
      statementTimeoutMs: 1000,
      retry: { minDelayMs: 1, maxDelayMs: 20 },
      ...extra,
    })
    let commits = 0
    sink.on('commit', () => commits++)
    const done = pipeline(Readable.from([rowsOf(3, id => ({ id }))]), sink)
    done.catch(() => {})
    return { sink, done, commits: () => commits }
  }

  for (const [title, extra] of [
    ['', {}],
    [', also where the same rows may be sent again', { onConflict: { target: ['id'], action: 'update' } }],
    [
      ', also with a checkpoint',
      { checkpoint: { name: 't', position: ({ id }: { id: number }) => ({ offset: id }) } },
    ],
  ] as const) {
    it(`is not cut short, and fails with an unknown outcome${title}`, async () => {
      if ('checkpoint' in extra)
        await open(extra).done.then(() => admin.query('TRUNCATE t, pg_batch_checkpoint'))
      await names('*')
      const { done, commits } = open(extra)
      expect(await failureOf(done)).to.include({ code: 'CONNECTION', outcome: 'unknown' })
      expect(commits()).to.equal(0)
      // its backend still waits, and its rows are not visible
      expect((await waiting()).filter(({ query }) => query.includes('COMMIT'))).to.have.lengthOf(1)
      expect(await visible()).to.equal(0)
    })
  }

  it('is reported as committed once the wait is over, when that comes in time', async () => {
    await names('*')
    const { done, commits } = open({ commitTimeoutMs: 5000 })
    await until('the COMMIT to wait', async () => (await waiting()).length === 1)
    await until(
      'the stream to have given up its connection',
      () => pool.totalCount === pool.idleCount,
      30_000,
    )
    await names('')
    await done
    expect(commits()).to.equal(1)
    expect(await visible()).to.equal(3)
  })

  it('is not committed when an operator ends its backend: no standby has it', async () => {
    await names('*')
    const { done, commits } = open()
    await until('the COMMIT to wait', async () => (await waiting()).length === 1)
    const [{ pid }] = await waiting()
    await admin.query('SELECT pg_terminate_backend($1)', [pid])
    expect(await failureOf(done)).to.include({ outcome: 'unknown' })
    expect(commits()).to.equal(0)
    expect(await visible()).to.equal(3) // on the primary alone
  })

  it('is confirmed by a commit of our own when an operator has ended its backend', async () => {
    await names('*')
    const { done, commits } = open({ commitTimeoutMs: 20_000 })
    await until('the COMMIT to wait', async () => (await waiting()).length === 1)
    const [{ pid }] = await waiting()
    await admin.query('SELECT pg_terminate_backend($1)', [pid])
    await until('the confirmation to wait', async () =>
      (await waiting()).some(({ query }) => query.includes('pg_logical_emit_message')),
    )
    expect(commits()).to.equal(0)
    await names('')
    await done
    expect(commits()).to.equal(1)
  })
})
