import { Consumer } from '@platformatic/kafka'
import { expect } from 'chai'
import { type KafkaToPgOptions, kafkaToPg } from '../../lib/kafka/index.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { consumerOptions } from './support.ts'

const PARTITIONS = 4
const MESSAGES = 2000
const FILL = 'x'.repeat(1000)

describe('partitions with a backlog', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()

  /** Produces so many messages of 1 kB to each partition, in batches of so many. */
  async function produce(topic: string, inBatch: number): Promise<void> {
    for (let produced = 0; produced < MESSAGES; produced += inBatch) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const message = { value: { fill: FILL }, partition }
        await kafka.produce(
          topic,
          Array.from({ length: inBatch }, () => message),
        )
      }
    }
  }

  /**
   * Reads until there was a message of each partition; returns how many were read before the last of these.
   */
  async function waited(topics: string[], consumer: KafkaToPgOptions<unknown>['consumer']): Promise<number> {
    const seen = new Set<string>()
    const sink = kafkaToPg({
      consumer,
      topics,
      pool: db.pool,
      delivery: 'at-least-once',
      maxBytes: 262_144,
      table: ({ topic, partition }) => {
        seen.add(`${topic}:${partition}`)
        if (seen.size === topics.length * PARTITIONS) sink.close().catch(() => {})
        return null
      },
    })
    await sink.finished
    return sink.stats.messagesReceived
  }

  it('have each a part in every answer', async () => {
    const topic = await kafka.createTopic(PARTITIONS)
    await produce(topic, 20)
    expect(await waited([topic], consumerOptions(kafka, kafka.fresh('group')))).to.be.lessThan(300)
  })

  it('take turns at coming first if their batches are larger than their part, also with several topics', async () => {
    const topics = [await kafka.createTopic(PARTITIONS), await kafka.createTopic(PARTITIONS)]
    for (const topic of topics) await produce(topic, 200)
    expect(await waited(topics, consumerOptions(kafka, kafka.fresh('group')))).to.be.lessThan(2000)
  })

  it("come first by turns, of one topic, with a consumer of the user's own", async () => {
    const topic = await kafka.createTopic(PARTITIONS)
    await produce(topic, 200)
    const consumer = new Consumer(consumerOptions(kafka, kafka.fresh('group')))
    try {
      expect(await waited([topic], consumer)).to.be.lessThan(1200)
    } finally {
      await consumer.close(true)
    }
  })
})
