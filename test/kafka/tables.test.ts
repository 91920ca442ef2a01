import { once } from 'node:events'
import { expect } from 'chai'
import { readCheckpoint } from '../../lib/index.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { until } from '../support/until.ts'
import { count, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

interface Event {
  type: string
  id: number
}

describe('several tables', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)
  const typed = (type: string, id: number) => ({ value: { type, id } })
  const makeTables = (...names: string[]) =>
    db.pool.query(names.map(name => `DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (id int)`).join(';'))
  const byType = {
    table: ({ value }: { value: Event }) => (value.type === 'none' ? null : value.type),
    toRow: ({ value }: { value: Event }) => ({ id: value.id }),
  }

  it('get the messages that are theirs, of several topics', async () => {
    await makeTables('red', 'blue')
    const topics = [await kafka.createTopic(), await kafka.createTopic(2)]
    const group = kafka.fresh('group')
    for (const topic of topics) {
      await kafka.produce(topic, [
        { ...typed('red', 1), partition: 0 },
        { ...typed('blue', 2), partition: 0 },
        { ...typed('none', 3), partition: 0 },
        { ...typed('red', 4), partition: 0 },
      ])
    }
    const sink = open<Event, { id: number }>(group, { topics, delivery: 'exactly-once', ...byType })
    await untilCommitted(kafka, group, topics[0]!, [4n])
    await untilCommitted(kafka, group, topics[1]!, [4n, 0n])
    expect([await count(db.pool, 'red'), await count(db.pool, 'blue')]).to.deep.equal([4, 2])
    expect(sink.stats).to.include({ rowsCommitted: 6, messagesReceived: 8 })
  })

  it('hold back the offset of a partition until the slowest of them has committed', async () => {
    await makeTables('fast', 'stuck')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    await kafka.produce(topic, [typed('fast', 0), typed('stuck', 1), typed('fast', 2), typed('fast', 3)])
    const blocker = await db.pool.connect()
    try {
      await blocker.query('BEGIN; LOCK TABLE stuck IN SHARE MODE')
      const sink = open<Event, { id: number }>(group, {
        topics: [topic],
        delivery: 'at-least-once',
        ...byType,
      })
      await untilRows(db.pool, 'fast', 3)
      await untilCommitted(kafka, group, topic, [1n])
      await blocker.query('COMMIT')
      await untilCommitted(kafka, group, topic, [4n])
      await sink.close()
    } finally {
      blocker.release()
    }
  })

  it('are each exactly right after a failure while one lagged, without a key in any of them', async () => {
    await makeTables('ahead', 'behind')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const options = { topics: [topic], delivery: 'exactly-once', ...byType } as const
    await kafka.produce(topic, [typed('ahead', 0), typed('behind', 1), typed('ahead', 2), typed('behind', 3)])
    const blocker = await db.pool.connect()
    try {
      await blocker.query('BEGIN; LOCK TABLE behind IN SHARE MODE')
      const first = open<Event, { id: number }>(group, { ...options, retry: false })
      await untilRows(db.pool, 'ahead', 2)
      await until('the table that lags to wait for its lock', () => isWaiting(), PATIENCE_MS)
      await db.pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity ' +
          "WHERE datname = current_database() AND wait_event_type = 'Lock'",
      )
      await first.finished.catch(() => {})
      await blocker.query('COMMIT')
    } finally {
      blocker.release()
    }
    expect(await count(db.pool, 'behind')).to.equal(0)
    await kafka.setCommitted(group, topic, [4n]) // Kafka's word is not taken
    const second = open<Event, { id: number }>(group, options)
    await untilRows(db.pool, 'behind', 2)
    await untilCommitted(kafka, group, topic, [4n])
    expect(await count(db.pool, 'ahead')).to.equal(2)
    await second.close()
    const progress = [...(await readCheckpoint(db.pool, `kafka:${group}`)).values()]
    expect(progress).to.deep.equal([3n])
  })

  async function isWaiting(): Promise<boolean> {
    const { rows } = await db.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    return rows.length > 0
  }

  it('reject what `table` cannot place, also when it comes before the first table', async () => {
    await makeTables('placed')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    await kafka.produce(topic, [{ value: '{' }, typed('placed', 1), { value: '}' }, typed('placed', 2)])
    const sink = open<Event, { id: number }>(group, {
      topics: [topic],
      delivery: 'exactly-once',
      deadLetter: { table: 'misplaced' },
      ...byType,
    })
    await untilCommitted(kafka, group, topic, [4n])
    expect(await count(db.pool, 'placed')).to.equal(2)
    const { rows } = await db.pool.query('SELECT source_offset::int AS at FROM misplaced ORDER BY id')
    expect(rows).to.deep.equal([{ at: 0 }, { at: 2 }])
    await sink.close()
  })

  it('fail the sink when one of them does not exist, and leave the group', async () => {
    await makeTables('there')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    const sink = open<Event, { id: number }>(group, { topics: [topic], delivery: 'at-least-once', ...byType })
    await once(sink, 'assigned')
    await kafka.produce(topic, [typed('there', 1), typed('missing', 2)])
    const error = await sink.finished.then(
      () => undefined,
      error => error,
    )
    expect(error).to.have.property('code', 'TABLE_NOT_FOUND')
    expect(await kafka.members(group)).to.equal(0)
  })
})
