import { expect } from 'chai'
import { KafkaMessage } from '../../../../lib/kafka/messages/kafka-message.ts'
import { rowOf } from '../../../../lib/kafka/messages/message-row.ts'

const message = (value: string | null, key?: string) =>
  new KafkaMessage<unknown>({
    topic: 't',
    partition: 2,
    offset: 7n,
    timestamp: 0n,
    key: key === undefined ? undefined : Buffer.from(key),
    value: value === null ? undefined : Buffer.from(value),
    headers: new Map([[Buffer.from('a'), Buffer.from('b')]]),
  })
const deletes = () => 'delete'
const upserts = () => 'upsert'

describe('the row of a message', () => {
  it('is its value, or what toRow makes of it', () => {
    expect(rowOf(message('{"id":1}'), { toRow: undefined, operation: undefined })).to.deep.equal({ id: 1 })
    const toRow = ({ offset, headers }: KafkaMessage) => ({ offset, a: headers.get('a') })
    expect(rowOf(message('{'), { toRow, operation: undefined })).to.deep.equal({ offset: 7n, a: 'b' })
  })

  it('skips a tombstone, unless it is a delete', () => {
    for (const operation of [undefined, upserts]) {
      expect(rowOf(message(null, '{"id":1}'), { toRow: undefined, operation })).to.equal(null)
    }
    const toRow = ({ key }: KafkaMessage) => ({ id: Number(key) })
    expect(rowOf(message(null, '5'), { toRow, operation: deletes })).to.deep.equal({ id: 5 })
  })

  it('is the key, for a delete without toRow', () => {
    const key = '{"id":9007199254740993}'
    const row = rowOf(message(null, key), { toRow: undefined, operation: deletes })
    expect(row).to.deep.equal({ id: 9007199254740993n })
    for (const bad of [undefined, 'five', '5', '[5]']) {
      expect(() => rowOf(message(null, bad), { toRow: undefined, operation: deletes }))
        .to.throw('The key of topic t, partition 2, offset 7 is not a JSON object')
        .with.property('code', 'ROW_INVALID')
    }
  })

  it('has digits for numbers that JavaScript would round, and JSON text for what holds one', () => {
    const text =
      '{"a":9007199254740993,"b":0.12345678901234567890,"c":{"d":[9007199254740993]},"e":{"f":1},"g":[1]}'
    expect(rowOf(message(text), { toRow: undefined, operation: undefined })).to.deep.equal({
      a: 9007199254740993n,
      b: '0.12345678901234567890',
      c: '{"d":[9007199254740993]}',
      e: { f: 1 },
      g: [1],
    })
  })

  it('has what an instance of a class inherits, whether numbers are long or not', () => {
    class Order {
      readonly #value: { id: unknown; total: unknown }
      own = 1
      constructor(value: unknown) {
        this.#value = value as { id: unknown; total: unknown }
      }
      get id() {
        return this.#value.id
      }
      get total() {
        return this.#value.total
      }
    }
    const toRow = ({ value }: KafkaMessage) => new Order(value)
    for (const total of ['5', '0.12345678901234567890']) {
      const row = rowOf(message(`{"id":7,"total":${total}}`), { toRow, operation: undefined }) as Order
      expect([row.id, String(row.total), row.own]).to.deep.equal([7, total, 1])
      expect(Object.keys(row)).to.deep.equal(['own'])
    }
  })

  it('is what it was if it cannot be a row', () => {
    const text = '[12345678901234567890]'
    const made: unknown[] = [new Map([['id', 12345678901234567890n]]), [12345678901234567890n]]
    for (const row of made) {
      const read = ({ value }: KafkaMessage) => value && row
      expect(rowOf(message(text), { toRow: read, operation: undefined })).to.equal(row)
    }
  })
})
