import { expect } from 'chai'
import { useDatabase } from '../support/database.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { until } from '../support/until.ts'
import { PATIENCE_MS, useSinks } from './support.ts'

const PARTITIONS = 4
const MESSAGES = 2000
const FILL = 'x'.repeat(1000)

describe('partitions with a backlog', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)

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

  for (const [what, inBatch, most] of [
    ['have each a part in every answer', 20, 300],
    ['come first by turns, where their batches are larger than their part', 200, 1200],
  ] as const) {
    it(what, async () => {
      const topic = await kafka.createTopic(PARTITIONS)
      await produce(topic, inBatch)
      const firsts = new Map<number, number>() // how many messages were read before the first of each partition
      const sink = open(kafka.fresh('group'), {
        topics: [topic],
        delivery: 'at-least-once',
        maxBytes: 262_144,
        table: ({ partition }) => {
          if (!firsts.has(partition)) firsts.set(partition, sink.stats.messagesReceived)
          return null
        },
      })
      await until('all partitions to be read', () => firsts.size === PARTITIONS, PATIENCE_MS)
      await sink.close()
      expect(Math.max(...firsts.values())).to.be.lessThan(most)
    })
  }
})
