import { Producer } from '@platformatic/kafka'
import { expect } from 'chai'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { count, untilCommitted, useSinks } from './support.ts'

describe('transactions of Kafka', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)
  let producer: Producer
  beforeEach(() => {
    producer = new Producer({
      clientId: 'transactions',
      bootstrapBrokers: kafka.bootstrapBrokers,
      idempotent: true,
      transactionalId: kafka.fresh('transactions'),
    })
  })
  afterEach(() => producer.close())

  async function produce(
    topic: string,
    fate: 'commit' | 'abort',
    messages: number,
    fill = '',
  ): Promise<void> {
    const transaction = await producer.beginTransaction()
    const value = Buffer.from(JSON.stringify({ fate, fill }))
    for (let left = messages; left > 0; left -= 200) {
      const part = Array.from({ length: Math.min(left, 200) }, () => ({ topic, partition: 0, value }))
      await transaction.send({ messages: part })
    }
    await transaction[fate]()
  }

  async function expectCommittedOnly(topic: string, table: string, messages: number): Promise<void> {
    await db.pool.query(`CREATE TABLE ${table} (fate text, fill text)`)
    const [end] = await kafka.ends(topic)
    const group = kafka.fresh('group')
    const sink = open(group, { topics: [topic], table, delivery: 'exactly-once', maxBytes: 262_144 })
    await untilCommitted(kafka, group, topic, [end! - 1n]) // the last offset is that of the marker
    await sink.close()
    expect(await count(db.pool, `${table} WHERE fate = 'abort'`)).to.equal(0)
    expect(await count(db.pool, table)).to.equal(messages)
  }

  it('leave nothing in the table that was aborted, in one longer than a fetch', async () => {
    const topic = await kafka.createTopic()
    await produce(topic, 'abort', 1000, 'x'.repeat(1000))
    await produce(topic, 'commit', 10)
    await expectCommittedOnly(topic, 'aborted_long', 10)
  })

  it('leave nothing in the table that was aborted, twice in a row by one producer', async () => {
    const topic = await kafka.createTopic()
    await produce(topic, 'abort', 5)
    await produce(topic, 'abort', 5)
    await produce(topic, 'commit', 10)
    await expectCommittedOnly(topic, 'aborted_twice', 10)
  })
})
