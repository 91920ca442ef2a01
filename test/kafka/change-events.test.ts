import { expect } from 'chai'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { untilCommitted, useSinks } from './support.ts'

describe('change events of Kafka', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)

  it('delete, by a tombstone, the row that its key names, and upsert it again after', async () => {
    await db.pool.query('CREATE TABLE users (id bigint PRIMARY KEY, name text)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const key = (id: number) => JSON.stringify({ id })
    await kafka.produce(topic, [
      { key: key(1), value: { id: 1, name: 'Ada' } },
      { key: key(2), value: { id: 2, name: 'Grace' } },
      { key: key(3), value: { id: 3, name: 'Edsger' } },
      { key: key(1), value: null },
      { key: key(2), value: null },
      { key: key(2), value: { id: 2, name: 'Grace again' } },
      { key: key(9), value: null },
    ])
    const sink = open<{ id: number; name: string }>(group, {
      topics: [topic],
      table: 'users',
      delivery: 'exactly-once',
      onConflict: { target: ['id'], action: 'update' },
      operation: ({ isTombstone }) => (isTombstone ? 'delete' : 'upsert'),
    })
    await untilCommitted(kafka, group, topic, [7n])
    await sink.close()
    const { rows } = await db.pool.query('SELECT id::int, name FROM users ORDER BY id')
    expect(rows).to.deep.equal([
      { id: 2, name: 'Grace again' },
      { id: 3, name: 'Edsger' },
    ])
  })
})
