import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import {
  type DebeziumChange,
  type DebeziumOptions,
  fromDebezium,
  PgBatchWritable,
} from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { failureOf, METHODS, options, valuesOf } from '../../support/writing.ts'
import { CASES, of, REFUSED } from './debezium-cases.ts'

describe("values of Debezium's documented types", () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const types = [...new Set(CASES.map(({ type }) => type))]
  const columnOf = (type: string) => `c${types.indexOf(type)}`

  before(async () => {
    await db.pool.query('CREATE EXTENSION IF NOT EXISTS hstore')
    const columns = types.map(type => `${columnOf(type)} ${type}`)
    await db.pool.query(`CREATE TABLE typed (id int PRIMARY KEY, ${columns.join(', ')})`)
    await db.pool.query('CREATE TABLE photos (id int PRIMARY KEY, name text, photo bytea, more bytea[])')
  })

  const eventOf = (id: number, column: string, schema: object, json: string): string => {
    const fields = [of('int32', undefined, { field: 'id' }), { ...schema, optional: true, field: column }]
    const envelope = { type: 'struct', fields: [{ type: 'struct', field: 'after', fields }] }
    return `{"schema":${JSON.stringify(envelope)},"payload":{"op":"c","after":{"id":${id},"${column}":${json}}}}`
  }
  const write = (table: string, changes: readonly DebeziumChange[], way: object) =>
    pipeline(
      Readable.from([changes]),
      new PgBatchWritable<DebeziumChange, Record<string, unknown>>({
        pool: makePool().pool,
        table,
        toRow: ({ row }) => row,
        operation: ({ operation }) => operation,
        onConflict: { target: ['id'], action: 'update' },
        ...way,
      }),
    )

  // bit, hstore and others have no binary form here
  for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
    it(`are stored as the source has them, by ${way.title}`, async () => {
      await db.pool.query('TRUNCATE typed')
      const changes = CASES.map(
        ({ type, schema, json }, id) => fromDebezium(eventOf(id, columnOf(type), schema, json))!,
      )
      await write('typed', changes, options(way))
      for (const [id, { type, stored }] of CASES.entries()) {
        const text = `SELECT ${columnOf(type)}::text FROM typed WHERE id = ${id}`
        const client = await db.pool.connect()
        try {
          await client.query("SET TIME ZONE 'UTC'")
          expect(
            (await client.query({ text, rowMode: 'array' })).rows,
            JSON.stringify(CASES[id]),
          ).to.deep.equal([[stored]])
        } finally {
          client.release()
        }
      }
    })
  }

  for (const [schema, json, said] of REFUSED) {
    it(`are refused where they cannot be right: ${JSON.stringify(schema)} ${json}`, () => {
      expect(() => fromDebezium(eventOf(1, 'v', schema, json))).to.throw(said)
    })
  }

  const photo = Buffer.from([0, 1, 250, 251, 252, 253, 254, 255])
  const MODES: readonly [mode: DebeziumOptions['binaryHandlingMode'], text: string][] = [
    ['bytes', photo.toString('base64')],
    ['base64', photo.toString('base64')],
    ['base64-url-safe', photo.toString('base64').replaceAll('+', '-').replaceAll('/', '_')],
    ['hex', photo.toString('hex')],
  ]
  for (const [mode, text] of MODES) {
    for (const way of METHODS) {
      it(`that are bytes as text are decoded by binaryHandlingMode ${mode}, by ${way.title}`, async () => {
        await db.pool.query('TRUNCATE photos')
        const event = { op: 'c', after: { id: 1, name: text, photo: text, more: [text, null] } }
        await write('photos', [fromDebezium(event, undefined, { binaryHandlingMode: mode })!], options(way))
        expect(await valuesOf(db.pool, 'SELECT name, photo, more[1], more[2] FROM photos')).to.deep.equal([
          [text, photo, photo, null],
        ])
      })
    }
  }

  it('that are bytes as text are rejected for a bytea column if their form is unknown', async () => {
    await db.pool.query('TRUNCATE photos')
    const [, text] = MODES[0]!
    const event = JSON.stringify({ op: 'c', after: { id: 1, photo: text } })
    const error = await failureOf(write('photos', [fromDebezium(event)!], {}))
    expect(error).to.include({ code: 'ROW_INVALID', column: 'photo' })
    expect(error.message)
      .to.match(/binaryHandlingMode/)
      .and.not.to.contain(text)
    const wrong = fromDebezium(event, undefined, { binaryHandlingMode: 'hex' })!
    expect((await failureOf(write('photos', [wrong], {}))).message).to.match(/not hex/)
    const none = [{ id: 2 }, { id: 3, photo: null }, { id: 4, name: text }].map(
      after => fromDebezium({ op: 'c', after })!,
    )
    await write('photos', none, {})
    expect(await valuesOf(db.pool, 'SELECT id FROM photos ORDER BY id')).to.deep.equal([[2], [3], [4]])
  })
})
