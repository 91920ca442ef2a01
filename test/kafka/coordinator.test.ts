import { once } from 'node:events'
import { Base, kGetApi, kMetadata, ProtocolError } from '@platformatic/kafka'
import { expect } from 'chai'
import sinon from 'sinon'
import { OwnConsumer } from '../../lib/kafka/consumer/own-consumer.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { consumerOptions, count, ids, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

/** The tests pass on by hand what a client of a cluster sees when a broker dies. */
const misled = new WeakSet<object>()

describe("the group's coordinator", function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)
  const clients = new Set<object>()
  beforeEach(() => clients.clear())
  afterEach(() => sinon.restore())

  it('may die and leave the metadata: the sink continues with a client that finds another one', async () => {
    await db.pool.query('CREATE TABLE coordinated (id bigint)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    const { [kMetadata]: metadata } = Base.prototype
    sinon.stub(Base.prototype, kMetadata).callsFake(function (this: Base, options, callback) {
      if (this.type === 'consumer') clients.add(this)
      metadata.call(this, options, (error, found) => {
        callback(error, found && misled.has(this) ? { ...found, brokers: new Map() } : found)
      })
    })
    const sink = open(group, { topics: [topic], table: 'coordinated', delivery: 'exactly-once' })
    await kafka.produce(topic, ids(0, 10, 2))
    await untilRows(db.pool, 'coordinated', 10)
    const outage = once(sink, 'outage')
    for (const client of clients) misled.add(client)
    await outage
    await kafka.produce(topic, ids(10, 20, 2))
    await untilCommitted(kafka, group, topic, [10n, 10n])
    await sink.close()
    expect(await count(db.pool, 'coordinated')).to.equal(20)
  })

  it('may give the group away: heartbeats that fail have the sink join the new one', async () => {
    await db.pool.query('CREATE TABLE handed_over (id bigint)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const { [kGetApi]: getApi } = Base.prototype
    sinon.stub(Base.prototype, kGetApi).callsFake(function (this: Base, name, callback) {
      if (this.type === 'consumer') clients.add(this)
      if (name !== 'Heartbeat' || !misled.has(this)) getApi.call(this, name, callback)
      else callback(new ProtocolError('NOT_COORDINATOR'))
    })
    const sink = open(group, { topics: [topic], table: 'handed_over', delivery: 'at-least-once' })
    await once(sink, 'assigned')
    const again = once(sink, 'assigned')
    for (const client of clients) misled.add(client)
    await again
    await kafka.produce(topic, ids(0, 10))
    await untilCommitted(kafka, group, topic, [10n])
    await sink.close()
    expect(sink.stats).to.include({ rowsCommitted: 10, assignments: 2 })
  })

  it('sees one member, which keeps its name when it joins again by another client', async () => {
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const consumer = new OwnConsumer({
      ...consumerOptions(kafka, group),
      sessionTimeout: 30_000,
      rebalanceTimeout: 30_000,
    })
    consumer.on('error', () => {})
    consumer.topics.trackAll(topic)
    try {
      const name = await consumer.joinGroup()
      expect(await consumer.joinGroup())
        .to.be.a('string')
        .that.equals(name)
      expect(consumer.assignments).to.deep.equal([{ topic, partitions: [0] }])
      expect(await kafka.members(group)).to.equal(1)
    } finally {
      await consumer.close(true)
    }
    expect(await kafka.members(group)).to.equal(0)
  }).timeout(PATIENCE_MS)
})
