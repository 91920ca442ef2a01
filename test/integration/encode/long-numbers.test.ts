import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { fromDebezium, PgBatchWritable, type PgBatchWritableOptions } from '../../../lib/index.ts'
import { KafkaMessage, LongNumber } from '../../../lib/kafka/index.ts'
import { rowOf } from '../../../lib/kafka/messages/message-row.ts'
import { useDatabase } from '../../support/servers/database.ts'

type Options = Partial<PgBatchWritableOptions<{ id: number }>>

const WAYS: readonly (readonly [string, Options])[] = [
  ['binary COPY', { method: 'copy' }],
  ['text COPY', { method: 'copy', copyFormat: 'text' }],
  ['INSERT', { method: 'insert' }],
  ['an upsert', { onConflict: { target: ['id'], action: 'update' } }],
]

const LONG = '0.12345678901234567890'

describe('numbers that JavaScript would round', () => {
  const { pool, query } = usePool()

  for (const [way, options] of WAYS) {
    const write = async (row: object): Promise<void> => {
      const sink = new PgBatchWritable<object>({ pool: pool(), table: 't', ...options } as never)
      await pipeline(Readable.from([[row]]), sink)
    }
    const stored = async (columns: string): Promise<unknown> => (await query(`SELECT ${columns} FROM t`))[0]

    it(`are numbers in json columns, by ${way}`, async () => {
      await query('CREATE TABLE t (id int PRIMARY KEY, a jsonb, b json, c jsonb, d text)')
      const long = new LongNumber(LONG)
      class Point {
        x = long
      }
      await write({ id: 1, a: { n: long }, b: [[long], 1], c: new Point(), d: { n: long } })
      expect(await stored('a::text, b::text, c::text, d')).to.deep.equal({
        a: `{"n": ${LONG}}`,
        b: `[[${LONG}],1]`,
        c: `{"x": ${LONG}}`,
        d: `{"n":${LONG}}`,
      })
    })

    it(`are numbers in the json and in the arrays of a Kafka message, by ${way}`, async () => {
      await query('CREATE TABLE t (id int PRIMARY KEY, a jsonb, b json, c jsonb, d numeric[], e bigint[])')
      const arrays = `"a":[9007199254740993,${LONG}],"b":[[${LONG}],[9007199254740993]],"c":[[{"n":${LONG}}]]`
      const json = `{"id":1,${arrays},"d":[[${LONG}],[9007199254740993]],"e":[9007199254740993]}`
      await write(rowOf(messageOf(json), { toRow: undefined, operation: undefined }) as object)
      expect(await stored('a::text, b::text, c::text, d::text, e::text')).to.deep.equal({
        a: `[9007199254740993, ${LONG}]`,
        b: `[[${LONG}],[9007199254740993]]`,
        c: `[[{"n": ${LONG}}]]`,
        d: `{{${LONG}},{9007199254740993}}`,
        e: '{9007199254740993}',
      })
    })

    it(`leave the bytes of a change event in a Kafka message what they are, by ${way}`, async () => {
      await query('CREATE TABLE t (id bigint PRIMARY KEY, a bytea, b text)')
      const toRow = ({ value }: KafkaMessage) =>
        fromDebezium(value, null, { binaryHandlingMode: 'base64' })?.row
      const message = messageOf('{"op":"c","after":{"id":9007199254740993,"a":"3q2+7w==","b":"3q2+7w=="}}')
      await write(rowOf(message, { toRow, operation: undefined }) as object)
      expect(await stored('id, a, b')).to.deep.equal({
        id: '9007199254740993',
        a: Buffer.from('deadbeef', 'hex'),
        b: '3q2+7w==',
      })
    })
  }

  function usePool() {
    const database = useDatabase()
    const query = async (text: string) => (await database.pool.query(text)).rows
    beforeEach(() => query('DROP TABLE IF EXISTS t'))
    return { pool: () => database.pool, query }
  }
})

function messageOf(json: string): KafkaMessage {
  const value = Buffer.from(json)
  return new KafkaMessage({ topic: 't', partition: 0, offset: 0n, timestamp: 0n, value, headers: new Map() })
}
