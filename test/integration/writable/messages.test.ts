import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { failureOf } from '../../support/writing.ts'

type Row = Record<string, unknown>

describe('the message of an error', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query(`
      DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good');
      CREATE TABLE t (id int, ok boolean, qty int, code varchar(3), day date, mood mood)`),
  )

  const failure = (rows: readonly Row[], options: object) =>
    failureOf(
      pipeline(
        Readable.from([rows]),
        new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', ...options }),
      ),
    )

  it('names the class and the place of what `toRow` throws, and none of its message', async () => {
    const toRow = (item: Row): Row => ({ id: (item.order as { id: number }).id })
    const { message, cause } = await failure([{ order: { id: 1 } }, { secret: 1 }], { toRow })
    expect(message).to.match(
      /^`toRow` threw TypeError at messages\.test\.ts:30:\d+; see error\.cause \[row 1, batch 1\] \(nothing was sent\)$/,
    )
    expect(cause).to.be.instanceOf(TypeError)
  })

  it('says so when `toRow` throws something other than an error', async () => {
    const toRow = (): Row => {
      throw 'secret'
    }
    const { message } = await failure([{}], { toRow })
    expect(message).to.equal(
      '`toRow` threw a value that is not an Error; see error.cause [row 0, batch 1] (nothing was sent)',
    )
  })

  it('names the class and the place of what another callback throws', async () => {
    const afterCommit = (): void => {
      throw new RangeError('secret')
    }
    const { message } = await failure([{ id: 1 }], { afterCommit })
    expect(message).to.match(
      /^`afterCommit` failed: RangeError at messages\.test\.ts:50:\d+; see error\.cause \[batch 1\] \(committed\)$/,
    )
  })

  for (const [column, value, text] of [
    ['ok', 'secret', 'not a valid boolean for "ok" (22P02)'],
    ['qty', '99999999999', 'out of range for "qty" of type integer (22003)'],
    ['code', 'secret', 'too long for "code" of type character varying(3) (22001)'],
    ['day', 'secret', 'not a valid date for "day" (22007)'],
    ['day', '2026-02-30', 'out of range for "day" (22008)'],
    ['mood', 'secret', 'not a valid mood for "mood" (22P02)'],
  ] as const) {
    it(`says in words what is wrong with a value: ${text}`, async () => {
      const rows = [{ id: 1 }, { id: 2, [column]: value }]
      const { message } = await failure(rows, { method: 'copy', copyFormat: 'text' })
      expect(message).to.equal(`The server refused a row: ${text} [row 1, batch 1] (rolled back)`)
    })
  }

  it('says in words that a text has a character which no type holds', async () => {
    await db.pool.query('ALTER TABLE t ADD note text')
    const { message } = await failure([{ id: 1, note: 'a\0b' }], {})
    expect(message).to.equal(
      'The server refused a row: a text with U+0000, which no type holds, for "note" (22021) ' +
        '[row 0, batch 1] (rolled back)',
    )
  })

  for (const [key, text] of [
    [
      'qtty',
      'The row has the key "qtty", which is not a column of "public"."t": name it "qty", leave it out, ',
    ],
    [
      'Mood ',
      'The row has the key "Mood ", which is not a column of "public"."t": name it "mood", leave it out, ',
    ],
    ['colour', 'The row has the key "colour", which is not a column of "public"."t": leave it out, '],
    [
      '\ufeffid',
      'The row has the key "\\ufeffid", with the byte order mark of a file, which is not a column of ' +
        '"public"."t": name it "id", leave it out, ',
    ],
  ] as const) {
    it(`suggests the column that a key was probably meant to be: ${JSON.stringify(key)}`, async () => {
      const { message } = await failure([{ [key]: 1 }], {})
      expect(message).to.contain(`${text}or set \`unknownKeys: 'ignore'\` [row 0, batch 1`)
    })
  }

  for (const [item, what] of [
    [['1', 'Ada'], 'an array: parse CSV into objects, by csv-parse with `columns: true`'],
    ['1,Ada', 'a string: put a parser before BatchTransform'],
    [Buffer.from('1,Ada'), 'a Buffer: put a parser before BatchTransform'],
    [null, 'null'],
  ] as const) {
    it(`says how objects are made of what is not one: ${what}`, async () => {
      const { message } = await failure([item as never], {})
      expect(message).to.equal(
        `Expected an object with a key for each column, but the item is ${what} [row 0, batch 1] (nothing was sent)`,
      )
    })
  }

  for (const [table, name, hint] of [
    ['nowhere', '"nowhere"', ''],
    ['Nowhere', '"Nowhere"', ': names keep their case, and "nowhere" is another one'],
    ['shop.public.t', '"shop"."public.t"', ': a name has a schema and a table, and no database'],
  ] as const) {
    it(`says what may be wrong with the name of the table ${table}`, async () => {
      const where = `in database "${db.name}", or this role cannot see it`
      const { message } = await failure([{ id: 1 }], { table })
      expect(message).to.equal(`Table ${name} does not exist ${where}${hint} (nothing was sent)`)
    })
  }
})
