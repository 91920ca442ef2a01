import { once } from 'node:events'
import { expect } from 'chai'
import pg from 'pg'
import type { OutageEvent } from '../../lib/kafka/index.ts'
import { FaultServer } from '../faults/servers/server.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { until } from '../support/until.ts'
import { count, ids, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

const MESSAGES = 60_000

describe('Kafka that is killed and comes back', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const kafka = useKafka({ own: true })
  const open = useSinks(kafka, () => db.pool)

  for (const delivery of ['exactly-once', 'at-least-once'] as const) {
    it(`in the middle of a load costs no message and doubles none, ${delivery}`, async () => {
      const table = `survived_${delivery.replaceAll('-', '_')}`
      await db.pool.query(`CREATE TABLE ${table} (id bigint)`)
      const topic = await kafka.createTopic(2)
      const group = kafka.fresh('group')
      await kafka.produce(topic, ids(0, MESSAGES, 2))
      const sink = open(group, {
        topics: [topic],
        table,
        delivery,
        maxBytes: 65_536,
        retry: { maxDelayMs: 500 },
        ...(delivery === 'at-least-once' ? { onConflict: { action: 'nothing' as const } } : {}),
      })
      if (delivery === 'at-least-once') await db.pool.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`)
      const outages: OutageEvent[] = []
      sink.on('outage', outage => outages.push(outage))
      await once(sink, 'commit')
      await kafka.broker.kill()
      await until('the sink to notice', () => outages.some(({ attempt }) => attempt > 0), PATIENCE_MS)
      await kafka.broker.start()
      await untilRows(db.pool, table, MESSAGES)
      await untilCommitted(kafka, group, topic, [BigInt(MESSAGES / 2), BigInt(MESSAGES / 2)])
      await sink.close()
      expect(await count(db.pool, table)).to.equal(MESSAGES)
    })
  }

  it('may stay away: a sink that is closed meanwhile comes to its end', async () => {
    await db.pool.query('CREATE TABLE unreached (id bigint)')
    const topic = await kafka.createTopic()
    const sink = open(kafka.fresh('group'), { topics: [topic], table: 'unreached', delivery: 'exactly-once' })
    await once(sink, 'assigned')
    await kafka.broker.kill()
    await once(sink, 'outage')
    await sink.close()
    await kafka.broker.start()
  })

  it('fails a sink at once that has never reached it', async () => {
    const sink = open(
      kafka.fresh('group'),
      { topics: ['anything'], table: 'unreached', delivery: 'at-least-once' },
      { bootstrapBrokers: ['127.0.0.1:1'], retries: 0 },
    )
    const error = await sink.finished.then(
      () => undefined,
      error => error,
    )
    expect(error)
      .to.be.an('error')
      .with.property('code')
      .that.matches(/^PLT_KFK_/)
  })
})

describe('PostgreSQL under a sink', function () {
  this.timeout(120_000)
  const kafka = useKafka()
  let server: FaultServer
  let pool: pg.Pool
  const open = useSinks(kafka, () => pool)
  before(async () => {
    server = await FaultServer.start()
    pool = new pg.Pool({ connectionString: server.loaderUrl(server.port), connectionTimeoutMillis: 5000 })
    pool.on('error', () => {})
  })
  after(async () => {
    await pool.end()
    await server.stop()
  })

  it('that is killed in the middle of a load, and comes back, has every message once', async () => {
    await server.query('CREATE TABLE crashed (id bigint)')
    await server.query('GRANT ALL ON crashed TO public')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    await kafka.produce(topic, ids(0, MESSAGES, 2))
    const sink = open(group, {
      topics: [topic],
      table: 'crashed',
      delivery: 'exactly-once',
      concurrency: 2,
      batch: { maxCount: 200 },
      retry: { retries: 100, maxDelayMs: 200 },
    })
    await once(sink, 'commit')
    await server.killAndRestart()
    await once(sink, 'commit')
    await server.killAndRestart()
    await untilCommitted(kafka, group, topic, [BigInt(MESSAGES / 2), BigInt(MESSAGES / 2)])
    await sink.close()
    const rows = await server.query('SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM crashed')
    expect(rows).to.deep.equal([{ count: MESSAGES, ids: MESSAGES }])
  })

  it('that stays away fails the sink, which leaves its group', async () => {
    await server.query('CREATE TABLE lost (id bigint)')
    await server.query('GRANT ALL ON lost TO public')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const sink = open(group, {
      topics: [topic],
      table: 'lost',
      delivery: 'exactly-once',
      retry: { retries: 2, maxDelayMs: 100 },
    })
    await once(sink, 'assigned')
    await server.killAll()
    await kafka.produce(topic, ids(0, 10))
    const error = await sink.finished.then(
      () => undefined,
      error => error,
    )
    expect(error).to.have.property('name', 'PgBatchError')
    expect(error).to.have.property('code', 'CONNECTION')
    expect(await kafka.members(group)).to.equal(0)
    await server.start()
  })
})
