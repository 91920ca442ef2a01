import { once } from 'node:events'
import { expect } from 'chai'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { until } from '../support/until.ts'
import { count, ids, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

describe('kafkaToPg', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)

  for (const delivery of ['at-least-once', 'exactly-once'] as const) {
    describe(delivery, () => {
      beforeEach(() => db.pool.query('DROP TABLE IF EXISTS events; CREATE TABLE events (id bigint)'))

      it('writes what was there before it came, and what comes then, and commits its offsets', async () => {
        const topic = await kafka.createTopic(3)
        const group = kafka.fresh('group')
        await kafka.produce(topic, ids(0, 3000, 3))
        const sink = open(group, { topics: [topic], table: 'events', delivery, concurrency: 3 })
        await untilRows(db.pool, 'events', 3000)
        await kafka.produce(topic, ids(3000, 3006, 3))
        await untilRows(db.pool, 'events', 3006)
        await untilCommitted(kafka, group, topic, [1002n, 1002n, 1002n])
        await sink.close()
        const { rows } = await db.pool.query('SELECT count(DISTINCT id)::int, max(id)::int FROM events')
        expect(rows).to.deep.equal([{ count: 3006, max: 3005 }])
        expect(sink.stats).to.include({ rowsCommitted: 3006, rowsPending: 0, messagesReceived: 3006 })
      })

      it('reads on, after a restart, where it was', async () => {
        const topic = await kafka.createTopic(2)
        const group = kafka.fresh('group')
        await kafka.produce(topic, ids(0, 1000, 2))
        const first = open(group, { topics: [topic], table: 'events', delivery })
        await untilRows(db.pool, 'events', 1000)
        await first.close()
        await kafka.produce(topic, ids(1000, 2000, 2))
        const second = open(group, { topics: [topic], table: 'events', delivery })
        await untilRows(db.pool, 'events', 2000)
        await second.close()
        expect(second.stats.messagesReceived).to.equal(1000)
        expect(await count(db.pool, 'events')).to.equal(2000)
      })

      it('writes and commits what it has read when it is closed in the middle', async () => {
        const topic = await kafka.createTopic(1)
        const group = kafka.fresh('group')
        await kafka.produce(topic, ids(0, 20_500)) // the last ones wait for a full batch
        const sink = open(group, { topics: [topic], table: 'events', delivery, batch: { maxWaitMs: 10_000 } })
        await once(sink, 'commit')
        await sink.close()
        const stored = await count(db.pool, 'events')
        expect(stored).to.equal(sink.stats.messagesReceived)
        expect(await kafka.committed(group, topic, 1)).to.deep.equal([BigInt(stored)])
      })
    })
  }

  describe('exactly-once', () => {
    it('starts at the position in PostgreSQL if the offset in Kafka is lower or higher', async () => {
      await db.pool.query('CREATE TABLE sought (id bigint)')
      const topic = await kafka.createTopic(1)
      const group = kafka.fresh('group')
      const options = { topics: [topic], table: 'sought', delivery: 'exactly-once' } as const
      await kafka.produce(topic, ids(0, 100))
      const first = open(group, options)
      await untilRows(db.pool, 'sought', 100)
      await first.close()

      await kafka.setCommitted(group, topic, [7n])
      const second = open(group, options)
      expect((await once(second, 'assigned'))[0]).to.deep.equal([{ topic, partition: 0, offset: 100n }])
      await second.close()

      // as after a restore from a backup
      await db.pool.query('DELETE FROM sought WHERE id >= 60')
      await db.pool.query('UPDATE pg_batch_checkpoint SET position = 59 WHERE name = $1', [
        `kafka:${group}:sought`,
      ])
      const third = open(group, options)
      await untilRows(db.pool, 'sought', 100)
      await third.close()
      const { rows } = await db.pool.query('SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM sought')
      expect(rows).to.deep.equal([{ count: 100, ids: 100 }])
    })
  })

  it('reads again what PostgreSQL has forgotten while the sink runs', async () => {
    await db.pool.query('DROP TABLE IF EXISTS regressed; CREATE TABLE regressed (id bigint)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    await kafka.produce(topic, ids(0, 1000, 2))
    const sink = open(group, {
      topics: [topic],
      table: 'regressed',
      delivery: 'exactly-once',
      concurrency: 2,
    })
    await untilRows(db.pool, 'regressed', 1000)
    await untilCommitted(kafka, group, topic, [500n, 500n])
    await db.pool.query('DELETE FROM regressed WHERE id >= 200')
    await db.pool.query('UPDATE pg_batch_checkpoint SET position = 99 WHERE name = $1', [
      `kafka:${group}:regressed`,
    ])
    await kafka.produce(topic, ids(1000, 1100, 2))
    await untilRows(db.pool, 'regressed', 1100)
    await untilCommitted(kafka, group, topic, [550n, 550n])
    await sink.close()
    const { rows } = await db.pool.query(
      'SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM regressed',
    )
    expect(rows).to.deep.equal([{ count: 1100, ids: 1100 }])
  })

  it('waits for the lanes of an earlier message before it commits a later offset', async () => {
    await db.pool.query('CREATE TABLE slow (id bigint)')
    const topic = await kafka.createTopic(2)
    const group = kafka.fresh('group')
    const blocker = await db.pool.connect()
    try {
      await blocker.query('BEGIN')
      await blocker.query('SELECT pg_advisory_xact_lock(7)')
      const sink = open<{ id: number }>(group, {
        topics: [topic],
        table: 'slow',
        delivery: 'at-least-once',
        concurrency: 2,
        batch: { maxCount: 1 },
        laneOf: ({ value }) => value.id,
        inTransaction: async (client, [first]) => {
          if (first?.value.id === 0) await client.query('SELECT pg_advisory_xact_lock(7)')
        },
      })
      await kafka.produce(topic, ids(0, 2))
      await until('the second message to be committed', () => sink.stats.rowsCommitted === 1, PATIENCE_MS)
      // another partition's, in the lane of the second, and so after it
      await kafka.produce(topic, [{ value: { id: 3 }, partition: 1 }])
      await untilCommitted(kafka, group, topic, [0n, 1n])
      await blocker.query('COMMIT')
      await untilCommitted(kafka, group, topic, [2n, 1n])
      await sink.close()
    } finally {
      blocker.release()
    }
  })
})
