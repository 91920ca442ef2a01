import { once } from 'node:events'
import { expect } from 'chai'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { codecFor } from '../../../lib/encode/codecs/codec-for.ts'
import { canBeBinary, makeRowEncoder } from '../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../lib/encode/wire/slabs.ts'
import { INTROSPECTION_SQL, introspectionValues } from '../../../lib/table/introspect.ts'
import { readTable } from '../../../lib/table/read-table.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { Storage } from './storage.ts'

const FORMATS = ['binary', 'text'] as const

describe('COPY of whole tables', () => {
  let client: pg.PoolClient
  after(() => client?.release())
  const db = useDatabase()
  before(async () => {
    client = await db.pool.connect()
  })

  async function copy(
    format: 'binary' | 'text',
    definition: string,
    rows: readonly object[],
  ): Promise<pg.QueryResult> {
    await client.query(`DROP TABLE IF EXISTS kept; CREATE TEMP TABLE kept (${definition})`)
    const { rows: found } = await client.query(INTROSPECTION_SQL, introspectionValues({ name: 'kept' }))
    const { columns } = readTable(found[0])
    expect(canBeBinary(columns)).to.equal(true)
    const encoder = makeRowEncoder({ columns, format })
    const out = new ByteBuffer(new SlabPool(1024).lease())
    const stream = client.query(copyFrom(`COPY kept FROM STDIN (FORMAT ${format})`))
    encoder.begin(out)
    for (const row of rows) {
      expect(encoder.row(out, row, 0)).to.equal(undefined)
      stream.write(out.take())
    }
    encoder.end(out)
    stream.end(out.take())
    await once(stream, 'finish')
    return client.query('SELECT * FROM kept')
  }

  for (const format of FORMATS) {
    // the cases of psycopg's test_copy.py and pgx's copy_from_test.go
    it(`keeps every character except NUL, alone and doubled (${format})`, async () => {
      const rows = Array.from({ length: 255 }, (_, i) => {
        const character = String.fromCodePoint(i + 1)
        return { id: i, t: character, u: `${character}\\${character}` }
      })
      expect((await copy(format, 'id int, t text, u varchar', rows)).rows).to.deep.equal(rows)
    })

    it(`keeps fields of many megabytes (${format})`, async () => {
      const rows = [{ t: 'x'.repeat(20_000_000) }, { t: '\t€'.repeat(3_000_000) }, { t: '' }]
      const result = await copy(format, 't text', rows)
      expect(result.rows.map(row => row.t.length)).to.deep.equal([20_000_000, 6_000_000, 0])
      expect(result.rows[1].t === rows[1]!.t).to.equal(true)
    })

    it(`fills 1,600 columns (${format})`, async () => {
      const names = Array.from({ length: 1600 }, (_, i) => `c${i}`)
      const row = Object.fromEntries(names.map((name, i) => [name, i % 3 ? i : null]))
      expect((await copy(format, names.map(name => `${name} int`).join(), [row])).rows).to.deep.equal([row])
    })

    it(`writes rows of tables without columns (${format})`, async () => {
      expect((await copy(format, '', [{}, { a: 1 }])).rowCount).to.equal(2)
    })

    it(`finds columns by any name (${format})`, async () => {
      const names = ['a.b', 'Ünï', 'select', 'a"b', "a'b", 'a\\b', '__proto__', 'constructor', 'n'.repeat(63)]
      const row = JSON.parse(`{${names.map(name => `${JSON.stringify(name)}: ${JSON.stringify(name)}`)}}`)
      const definition = names.map(name => `"${name.replaceAll('"', '""')}" text`).join()
      const { rows, fields } = await copy(format, definition, [row])
      expect(fields.map(field => field.name)).to.deep.equal(names)
      expect(fields.map(field => Object.getOwnPropertyDescriptor(rows[0], field.name)?.value)).to.deep.equal(
        names.map(name =>
          name === '__proto__' ? Object.getOwnPropertyDescriptor(rows[0], name)?.value : name,
        ),
      )
      const { rows: own } = await client.query('SELECT "__proto__" AS p FROM kept')
      expect(own).to.deep.equal([{ p: '__proto__' }])
    })
  }
})

describe('the documented deviations from pg', () => {
  let client: pg.PoolClient
  after(() => client?.release())
  const db = useDatabase()
  before(async () => {
    client = await db.pool.connect()
  })

  const texts = (outcomes: readonly (string | null)[]): (string | null)[] =>
    outcomes.map(outcome => outcome?.replace(/ [0-9a-f]*$/, '') ?? null)

  it('1: an array for json and jsonb is JSON', async () => {
    const arrays = [[1, 'a', null, { b: [] }], [], [[1], [2, 3]]]
    for (const sqlType of ['json', 'jsonb']) {
      const storage = await Storage.open(client, sqlType)
      const { rows } = await client.query(
        `SELECT $1::${sqlType}::text AS a, $2::${sqlType}::text AS b, $3::${sqlType}::text AS c`,
        arrays.map(array => JSON.stringify(array)),
      )
      const expected = Object.values(rows[0] as Record<string, string>)
      for (const outcomes of [
        await storage.byInsert(arrays),
        await storage.byCopyText(arrays),
        await storage.byCopyBinary(arrays),
      ]) {
        expect(texts(outcomes)).to.deep.equal(expected)
      }
    }
  })

  it('2: a Date for timestamptz is its exact instant', async () => {
    const zone = process.env.TZ
    process.env.TZ = 'Africa/Monrovia' // 44:30 west until 1972
    try {
      await client.query("SET timezone = 'UTC'")
      const storage = await Storage.open(client, 'timestamptz')
      const date = [new Date('1970-06-01T12:00:00Z')]
      expect(texts(await storage.byPg(date)), 'of pg').not.to.deep.equal(['1970-06-01 12:00:00+00'])
      for (const outcomes of [
        await storage.byInsert(date),
        await storage.byCopyText(date),
        await storage.byCopyBinary(date),
      ]) {
        expect(texts(outcomes)).to.deep.equal(['1970-06-01 12:00:00+00'])
      }
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
      await client.query('RESET timezone')
    }
  })

  it('4: COPY reads a bare number for a restricted interval in the smallest unit', async () => {
    const storage = await Storage.open(client, 'interval minute')
    expect(texts(await storage.byPg(['5', '5 minutes']))).to.deep.equal(['00:00:00', '00:05:00'])
    expect(texts(await storage.byInsert(['5', '5 minutes']))).to.deep.equal(['00:00:00', '00:05:00'])
    expect(texts(await storage.byCopyBinary(['5', '5 minutes']))).to.deep.equal(['00:05:00', '00:05:00'])
  })

  it('5: COPY rounds more decimals than a parameter may have', async () => {
    const storage = await Storage.open(client, 'numeric(6,2)')
    const tiny = [`1.${'0'.repeat(20_000)}1`]
    expect(texts(await storage.byPg(tiny))).to.deep.equal([null])
    expect(texts(await storage.byCopyBinary(tiny))).to.deep.equal(['1.00'])
  })

  it('leave bytes for a type without a text form to INSERT, where COPY is text', async () => {
    const storage = await Storage.open(client, 'int4')
    const bytes = [Buffer.of(0, 0, 0, 7)]
    expect(texts(await storage.byPg(bytes))).to.deep.equal(['7'])
    expect(texts(await storage.byInsert(bytes))).to.deep.equal(['7'])
    expect(texts(await storage.byCopyBinary(bytes))).to.deep.equal(['7'])
    expect(texts(await storage.byCopyText(bytes))).to.deep.equal([null])
  })

  it('encode citext, where the server has it', async () => {
    await client.query('CREATE EXTENSION citext')
    const storage = await Storage.open(client, 'citext')
    expect(storage.canBeBinary).to.equal(true)
    const words = ['Word', '\\N', '\t', { a: 1 }]
    expect(await storage.byCopyBinary(words)).to.deep.equal(await storage.byPg(words))
    expect(codecFor(storage.column.type).binary).to.be.a('function')
  })
})
