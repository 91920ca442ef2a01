import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Consumer, type Message } from '@platformatic/kafka'
import { expect } from 'chai'
import { BatchTransform, PgBatchWritable, readCheckpoint } from '../../lib/index.ts'
import { commitAfter, kafkaPosition, kafkaToPg, seekToStored } from '../../lib/kafka/index.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { until } from '../support/until.ts'
import { consumerOptions, count, ids, PATIENCE_MS, untilCommitted, untilRows } from './support.ts'

describe("a consumer of the user's own", function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  let consumer: Consumer
  let group: string
  beforeEach(() => {
    group = kafka.fresh('group')
    consumer = new Consumer(consumerOptions(kafka, group))
  })
  afterEach(() => consumer.close(true))

  it('is made to leave its group by kafkaToPg, and can be used again', async () => {
    await db.pool.query('CREATE TABLE owned (id bigint)')
    const topic = await kafka.createTopic()
    await kafka.produce(topic, ids(0, 10))
    for (const round of [1, 2]) {
      const sink = kafkaToPg({
        consumer,
        topics: [topic],
        pool: db.pool,
        table: 'owned',
        delivery: 'exactly-once',
      })
      await once(sink, 'assigned')
      await untilRows(db.pool, 'owned', 10 * round)
      await sink.close()
      expect(await kafka.members(group)).to.equal(0)
      expect(consumer.closed).to.equal(false)
      await kafka.produce(topic, ids(10, 20))
    }
  })

  it('is refused when it has deserializers', async () => {
    await db.pool.query('CREATE TABLE refused (id bigint)')
    const topic = await kafka.createTopic()
    await kafka.produce(topic, ids(0, 1))
    const texts = new Consumer<Buffer, string, Buffer, Buffer>({
      ...consumerOptions(kafka, group),
      deserializers: { value: bytes => String(bytes) },
    })
    const sink = kafkaToPg({
      consumer: texts,
      topics: [topic],
      pool: db.pool,
      table: 'refused',
      delivery: 'at-least-once',
      deadLetter: { table: 'refused_dead' },
    })
    const error = await sink.finished.then(
      () => undefined,
      error => error,
    )
    await texts.close()
    expect(error).to.be.instanceOf(TypeError).with.property('message').that.includes('deserializers')
  })

  it('is read no further than what is in flight while the table is locked', async () => {
    await db.pool.query('CREATE TABLE locked (id bigint, fill text)')
    const topic = await kafka.createTopic()
    const fill = 'x'.repeat(500)
    await kafka.produce(
      topic,
      ids(0, 20_000).map(message => ({ ...message, value: { ...message.value, fill } })),
    )
    let buffered = (): number => 0
    const consume = consumer.consume.bind(consumer)
    const watched = Object.assign(consumer, {
      consume: async (options: Parameters<typeof consume>[0]) => {
        const stream = await consume(options)
        buffered = () => stream.readableLength
        return stream
      },
    })
    const blocker = await db.pool.connect()
    try {
      await blocker.query('BEGIN; LOCK TABLE locked IN SHARE MODE')
      const sink = kafkaToPg({
        consumer: watched,
        topics: [topic],
        pool: db.pool,
        table: 'locked',
        delivery: 'exactly-once',
        batch: { maxCount: 100 },
        maxBytes: 100_000,
      })
      await until('the writer to wait for the lock', () => sink.stats.batchesReceived >= 3, PATIENCE_MS)
      let most = 0
      for (let heartbeat = 0; heartbeat < 5; heartbeat++) {
        await once(consumer, 'consumer:heartbeat:end')
        most = Math.max(most, sink.stats.messagesReceived + buffered())
      }
      // a few batches, and of the client a high-water mark and two answers of 100 kB
      expect(most).to.be.within(300, 3000)
      await blocker.query('COMMIT')
      await untilRows(db.pool, 'locked', 20_000)
      await sink.close()
    } finally {
      blocker.release()
    }
  })

  describe('in a pipeline of their own', () => {
    type Record = Message<Buffer, Buffer, Buffer, Buffer>
    const toRow = ({ value }: Record) => JSON.parse(value.toString()) as { id: number }

    it('has its offsets committed by commitAfter, once a batch', async () => {
      await db.pool.query('CREATE TABLE acked (id bigint)')
      const topic = await kafka.createTopic(2)
      await kafka.produce(topic, ids(0, 100, 2))
      const stream = await consumer.consume({
        topics: [topic],
        autocommit: false,
        mode: 'committed',
        fallbackMode: 'earliest',
      })
      let commits = 0
      const commit = consumer.commit.bind(consumer)
      const counted = {
        get assignments() {
          return consumer.assignments
        },
        commit: (options: Parameters<typeof commit>[0]) => {
          commits++
          return commit(options)
        },
      }
      const sink = new PgBatchWritable<Record, { id: number }>({
        pool: db.pool,
        table: 'acked',
        toRow,
        afterCommit: commitAfter(counted),
      })
      const done = pipeline(stream, new BatchTransform({ maxCount: 50 }), sink)
      await untilCommitted(kafka, group, topic, [50n, 50n])
      await stream.close()
      await done
      expect(commits).to.equal(sink.stats.batchesCommitted)
    })

    it('leaves alone, in commitAfter, what is no longer its own', async () => {
      const topic = await kafka.createTopic(1)
      const commits: unknown[] = []
      const other = {
        assignments: [{ topic, partitions: [1] }],
        commit: async (o: unknown) => void commits.push(o),
      }
      await commitAfter(other)([
        { topic, partition: 0, offset: 4n },
        { topic, partition: 1, offset: 6n },
        { topic, partition: 1, offset: 5n },
      ])
      expect(commits).to.deep.equal([{ offsets: [{ topic, partition: 1, offset: 7n, leaderEpoch: -1 }] }])
    })

    it('starts, by seekToStored, at what PostgreSQL holds', async () => {
      await db.pool.query('CREATE TABLE sought (id bigint)')
      const topic = await kafka.createTopic()
      await kafka.produce(topic, ids(0, 100))
      const load = async (rows: number) => {
        const starts = await seekToStored(db.pool, consumer, { topics: [topic], name: 'own' })
        const stream = await consumer.consume({
          topics: [topic],
          autocommit: false,
          mode: 'committed',
          fallbackMode: 'earliest',
        })
        const sink = new PgBatchWritable<Record, { id: number }>({
          pool: db.pool,
          table: 'sought',
          toRow,
          checkpoint: { name: 'own', position: kafkaPosition },
        })
        const done = pipeline(stream, new BatchTransform({ maxCount: 50 }), sink)
        await untilRows(db.pool, 'sought', rows)
        await stream.close()
        await done
        return { starts, sink }
      }
      expect((await load(100)).starts).to.deep.equal([{ topic, partition: 0, offset: 0n }])
      expect(await readCheckpoint(db.pool, 'own')).to.deep.equal(new Map([[`${topic}:0`, 99n]]))
      await kafka.produce(topic, ids(100, 110))
      const { starts, sink } = await load(110)
      expect(starts).to.deep.equal([{ topic, partition: 0, offset: 100n }])
      expect(sink.stats.rowsSkipped).to.equal(0)
      expect(await count(db.pool, 'sought')).to.equal(110)
    })
  })
})
