import { once } from 'node:events'
import { Consumer, ResponseError } from '@platformatic/kafka'
import { expect } from 'chai'
import sinon from 'sinon'
import { type KafkaOffset, kafkaToPg } from '../../lib/kafka/index.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { until } from '../support/until.ts'
import { consumerOptions, count, ids, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

describe('a rebalance', function () {
  this.timeout(90_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)

  it('under a transaction leaves every message once in a table without a key, exactly-once', async () => {
    await db.pool.query('CREATE TABLE shared (id bigint)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    await kafka.produce(topic, ids(0, 5000, 2))
    const options = {
      topics: [topic],
      table: 'shared',
      delivery: 'exactly-once',
      inTransaction: async (client: { query(text: string): Promise<unknown> }) => {
        await client.query('SELECT pg_advisory_xact_lock_shared(11)')
      },
    } as const
    const gate = await db.pool.connect()
    try {
      await gate.query('SELECT pg_advisory_lock(11)')
      const first = open(group, options)
      await until('the first to be held up before COMMIT', isHeldUp, PATIENCE_MS)
      const second = open(group, options)
      const [share] = await once(second, 'assigned')
      expect(share).to.have.length(1).with.nested.property('[0].offset', 0n)
      await until('the second to read the same', () => second.stats.messagesReceived > 0, PATIENCE_MS)
      await gate.query('SELECT pg_advisory_unlock(11)')
      await untilCommitted(kafka, group, topic, [2500n, 2500n])
      await Promise.all([first.close(), second.close()])
      expect(second.stats.rowsSkipped, 'messages that came twice').to.be.greaterThan(0)
      const { rows } = await db.pool.query('SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM shared')
      expect(rows).to.deep.equal([{ count: 5000, ids: 5000 }])
    } finally {
      gate.release(true)
    }
  })

  async function isHeldUp(): Promise<boolean> {
    const { rows } = await db.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'",
    )
    return rows.length > 0
  }

  it('shares the partitions out, and loses nothing at least once', async () => {
    await db.pool.query('CREATE TABLE upserted (id bigint PRIMARY KEY, times int DEFAULT 1)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    await kafka.produce(topic, ids(0, 4000, 2))
    const options = {
      topics: [topic],
      table: 'upserted',
      delivery: 'at-least-once',
      onConflict: { target: ['id'], action: 'update' },
      batch: { maxCount: 100 },
    } as const
    const first = open(group, options)
    await once(first, 'commit')
    const shares: (readonly KafkaOffset[])[] = []
    first.on('assigned', starts => shares.push(starts))
    const second = open(group, options)
    const [share] = await once(second, 'assigned')
    expect(share).to.have.length(1)
    await until('the first to have one partition left', () => shares.at(-1)?.length === 1, PATIENCE_MS)
    await untilCommitted(kafka, group, topic, [2000n, 2000n])
    expect(await count(db.pool, 'upserted')).to.equal(4000)
  })

  it('gives the partitions of a member that was closed to the one that is left', async () => {
    await db.pool.query('CREATE TABLE left_over (id bigint)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    const options = { topics: [topic], table: 'left_over', delivery: 'exactly-once' } as const
    const first = open(group, options)
    await once(first, 'assigned')
    const second = open(group, options)
    await once(second, 'assigned')
    const whole = once(first, 'assigned').then(async ([starts]) =>
      starts.length === 2 ? starts : (await once(first, 'assigned'))[0],
    )
    await second.close()
    expect(await whole).to.have.length(2)
    await kafka.produce(topic, ids(0, 10, 2))
    await untilRows(db.pool, 'left_over', 10)
  })

  it('is no failure when it comes in between while a member starts', async () => {
    await db.pool.query('CREATE TABLE started (id bigint)')
    const topic = await kafka.createTopic(1)
    const consumer = new Consumer(consumerOptions(kafka, kafka.fresh('group')))
    // the client tries its commits again some times; a group with many members that start outlasts that
    const commit = sinon.stub(consumer, 'commit')
    commit.onFirstCall().rejects(new ResponseError(8, 9, { '/topics/0/partitions/0': [27, null] }, {}))
    commit.callThrough()
    await kafka.produce(topic, ids(0, 10))
    try {
      const options = { topics: [topic], table: 'started', delivery: 'exactly-once' } as const
      const sink = kafkaToPg({ ...options, consumer, pool: db.pool })
      await Promise.race([untilRows(db.pool, 'started', 10), sink.finished])
      await sink.close()
      expect(sink.stats.outages).to.equal(1)
    } finally {
      await consumer.close(true)
    }
  })

  it('is not disturbed by commits: they wait until the partitions are shared out', async () => {
    await db.pool.query('CREATE TABLE undisturbed (id bigint)')
    const topic = await kafka.createTopic(1)
    const group = kafka.fresh('group')
    const consumer = new Consumer(consumerOptions(kafka, group))
    const options = { topics: [topic], table: 'undisturbed', delivery: 'at-least-once' } as const
    const sink = kafkaToPg({ ...options, consumer, pool: db.pool })
    try {
      await once(sink, 'assigned')
      const commit = sinon.spy(consumer, 'commit')
      consumer.emit('consumer:group:rebalance', { groupId: group })
      await kafka.produce(topic, ids(0, 10))
      await untilRows(db.pool, 'undisturbed', 10)
      await kafka.produce(topic, ids(10, 20)) // when these are in, the first ones' commit would have gone out
      await untilRows(db.pool, 'undisturbed', 20)
      expect(commit.callCount).to.equal(0)
      consumer.emit('consumer:group:join', { groupId: group, memberId: consumer.memberId! })
      await untilCommitted(kafka, group, topic, [20n])
    } finally {
      await sink.close()
      await consumer.close(true)
    }
  })

  it('takes partitions that a topic has got since', async () => {
    await db.pool.query('CREATE TABLE grown (id bigint)')
    const topic = await kafka.createTopic(1)
    const group = kafka.fresh('group')
    const sink = open(
      group,
      { topics: [topic], table: 'grown', delivery: 'exactly-once' },
      { metadataMaxAge: 300 },
    )
    await once(sink, 'assigned')
    const grown = once(sink, 'assigned')
    await kafka.addPartitions(topic, 3)
    expect((await grown)[0]).to.have.length(3)
    await kafka.produce(topic, ids(0, 6, 3))
    await untilRows(db.pool, 'grown', 6)
  })
})

describe('a topic that was deleted and made again', function () {
  this.timeout(90_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(warning.message)
  before(() => process.on('warning', onWarning))
  after(() => process.off('warning', onWarning))

  it('is read from its start, and said to be another one, when the sink was closed', async () => {
    await db.pool.query('CREATE TABLE twice (id bigint)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const options = { topics: [topic], table: 'twice', delivery: 'exactly-once' } as const
    await kafka.produce(topic, ids(0, 50))
    const first = open(group, options)
    await untilRows(db.pool, 'twice', 50)
    await first.close()
    await kafka.deleteTopic(topic)
    await kafka.createTopic(1, topic)
    await kafka.produce(topic, ids(100, 200))
    await kafka.setCommitted(group, topic, [50n]) // of the topic that was
    const second = open(group, options)
    await untilRows(db.pool, 'twice', 150)
    await second.close()
    expect(await count(db.pool, 'twice')).to.equal(150)
    expect(warnings.filter(text => text.includes(topic)).join()).to.include('created again')
  })

  it('is noticed while the sink reads', async () => {
    await db.pool.query('CREATE TABLE under_way (id bigint)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const options = { topics: [topic], table: 'under_way', delivery: 'exactly-once' } as const
    await kafka.produce(topic, ids(0, 50))
    const sink = open(group, options)
    await untilRows(db.pool, 'under_way', 50)
    await kafka.deleteTopic(topic)
    await kafka.createTopic(1, topic)
    await kafka.produce(topic, ids(100, 200))
    await untilRows(db.pool, 'under_way', 150)
    await sink.close()
    expect(await count(db.pool, 'under_way')).to.equal(150)
  })
})
