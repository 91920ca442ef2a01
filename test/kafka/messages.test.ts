import { once } from 'node:events'
import { expect } from 'chai'
import { PgBatchError } from '../../lib/index.ts'
import { type KafkaMessage, LongNumber } from '../../lib/kafka/index.ts'
import { useKafka } from '../support/kafka/kafka.ts'
import { useDatabase } from '../support/servers/database.ts'
import { untilCommitted, untilRows, useSinks } from './support.ts'

describe('messages of Kafka', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const kafka = useKafka()
  const open = useSinks(kafka, () => db.pool)
  const rows = async (sql: string) => (await db.pool.query(sql)).rows

  it('have key, headers, time and place at hand in toRow', async () => {
    await db.pool.query('CREATE TABLE seen (key text, tag text, at timestamptz, place text, id int)')
    const topic = await kafka.createTopic(2)
    await kafka.produce(topic, [{ key: 'k', value: { id: 1 }, headers: { tag: 'blue' }, partition: 1 }])
    const before = Date.now()
    open<{ id: number }, Record<string, unknown>>(kafka.fresh('group'), {
      topics: [topic],
      table: 'seen',
      delivery: 'at-least-once',
      toRow: ({ key, headers, timestamp, partition, offset, value }) => ({
        key,
        tag: headers.get('tag'),
        at: timestamp,
        place: `${partition}/${offset}`,
        id: value.id,
      }),
    })
    await untilRows(db.pool, 'seen', 1)
    const [row] = await rows('SELECT * FROM seen')
    expect(row).to.include({ key: 'k', tag: 'blue', place: '1/0', id: 1 })
    expect(row.at.getTime()).to.be.within(before - 60_000, Date.now())
  })

  it('keep every digit of their numbers', async () => {
    await db.pool.query('CREATE TABLE exact (id bigint, price numeric, doc jsonb, list numeric[])')
    const topic = await kafka.createTopic()
    const text =
      '{"id":9223372036854775807,"price":0.12345678901234567890,"doc":{"n":[12345678901234567890, 1.5]},"list":[1,9007199254740993]}'
    await kafka.produce(topic, [{ value: text }])
    let value: Record<string, unknown> = {}
    open(kafka.fresh('group'), {
      topics: [topic],
      table: 'exact',
      delivery: 'at-least-once',
      toRow: message => {
        value = message.value
        return message.value
      },
    })
    await untilRows(db.pool, 'exact', 1)
    expect(await rows('SELECT id::text, price::text, doc::text, list::text FROM exact')).to.deep.equal([
      {
        id: '9223372036854775807',
        price: '0.12345678901234567890',
        doc: '{"n": [12345678901234567890, 1.5]}',
        list: '{1,9007199254740993}',
      },
    ])
    expect(value.id).to.equal(9223372036854775807n)
    expect(value.price).to.be.instanceOf(LongNumber)
    expect(String(value.price)).to.equal('0.12345678901234567890')
  })

  for (const delivery of ['at-least-once', 'exactly-once'] as const) {
    it(`that cannot be read go to the dead letter, and are passed, ${delivery}`, async () => {
      const table = `poisoned_${delivery.replaceAll('-', '_')}`
      await db.pool.query(`CREATE TABLE ${table} (id int)`)
      const topic = await kafka.createTopic()
      const group = kafka.fresh('group')
      await kafka.produce(topic, [
        { value: { id: 1 } },
        { value: '{"id": secret' },
        { key: 'bytes', value: Buffer.from([0x7b, 0xff, 0x7d]) },
        { value: '[3]' },
        { value: { id: 'x' } },
        { value: { id: 2 } },
      ])
      const sink = open(group, {
        topics: [topic],
        table,
        delivery,
        deadLetter: { table: `${table}_dead` },
      })
      await untilCommitted(kafka, group, topic, [6n])
      expect(await rows(`SELECT id FROM ${table} ORDER BY id`)).to.deep.equal([{ id: 1 }, { id: 2 }])
      expect(sink.stats).to.include({ rowsCommitted: 2, rowsRejected: 4 })
      const dead = await rows(
        `SELECT code, message, source_partition, source_offset::int, row FROM ${table}_dead ORDER BY id`,
      )
      expect(dead.map(({ code }) => code)).to.deep.equal([
        'ROW_INVALID',
        'ROW_INVALID',
        'ROW_INVALID',
        'REFUSED',
      ])
      expect(dead[0].message).to.include(`The value of topic ${topic}, partition 0, offset 1 is not JSON`)
      expect(dead[0].message).not.to.include('secret')
      expect(dead[0].row).to.include({ topic, partition: 0, offset: '1', value: '{"id": secret' })
      expect(dead[1].message).to.include('is not UTF-8')
      expect(dead[1].row).to.deep.include({
        key: 'bytes',
        value: { base64: Buffer.from([0x7b, 0xff, 0x7d]).toString('base64') },
      })
      expect(dead.map(row => row.source_offset)).to.deep.equal([1, 2, 3, 4])
      for (const { source_partition } of dead) expect(source_partition).to.match(new RegExp(`^${topic}:0`))
    })
  }

  it('that cannot be read fail the sink, with their place, where there is no dead letter', async () => {
    await db.pool.query('CREATE TABLE strict (id int)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    await kafka.produce(topic, [{ value: '{' }])
    const sink = open(group, { topics: [topic], table: 'strict', delivery: 'at-least-once' })
    const error = await sink.finished.then(
      () => undefined,
      error => error,
    )
    expect(error).to.be.instanceOf(PgBatchError).with.property('code', 'ROW_INVALID')
    expect(error.message).to.include(`topic ${topic}, partition 0, offset 0`)
    expect(await kafka.committed(group, topic, 1)).to.deep.equal([0n])
    expect(await kafka.members(group)).to.equal(0)
  })

  it('that toRow throws a PgBatchError for are rejected with its words', async () => {
    await db.pool.query('CREATE TABLE judged (id int)')
    const topic = await kafka.createTopic()
    await kafka.produce(topic, [{ value: { id: -1 } }, { value: { id: 1 } }])
    const sink = open<{ id: number }>(kafka.fresh('group'), {
      topics: [topic],
      table: 'judged',
      delivery: 'at-least-once',
      rejectLimit: 10,
      toRow: ({ value }) => {
        if (value.id < 0) throw new PgBatchError('ROW_INVALID', 'ids are positive', { outcome: 'not-sent' })
        return value
      },
    })
    const [reject] = await once(sink, 'reject')
    expect(reject.error.message).to.include('ids are positive')
    expect((reject.item as KafkaMessage).offset).to.equal(0n)
    await untilRows(db.pool, 'judged', 1)
  })

  it('without a value are skipped', async () => {
    await db.pool.query('CREATE TABLE buried (id int)')
    const topic = await kafka.createTopic()
    const group = kafka.fresh('group')
    await kafka.produce(topic, [{ value: { id: 1 } }, { key: '1', value: null }, { value: { id: 2 } }])
    const sink = open(group, { topics: [topic], table: 'buried', delivery: 'exactly-once' })
    await untilCommitted(kafka, group, topic, [3n])
    expect(sink.stats).to.include({ rowsCommitted: 2, rowsSkipped: 1 })
  })

  it('are read by parseValue, where it is given', async () => {
    await db.pool.query('CREATE TABLE parsed (word text)')
    const topic = await kafka.createTopic()
    await kafka.produce(topic, [{ value: 'one' }, { value: 'bad' }, { value: 'two' }])
    const sink = open<{ word: string }>(kafka.fresh('group'), {
      topics: [topic],
      table: 'parsed',
      delivery: 'at-least-once',
      rejectLimit: 1,
      parseValue: bytes => {
        if (bytes.toString() === 'bad') throw new Error('no word')
        return { word: bytes.toString().toUpperCase() }
      },
    })
    await untilRows(db.pool, 'parsed', 2)
    expect(await rows('SELECT word FROM parsed')).to.deep.equal([{ word: 'ONE' }, { word: 'TWO' }])
    expect(sink.stats.rowsRejected).to.equal(1)
  })
})
