import { createRequire } from 'node:module'
import { expect } from 'chai'
import fc from 'fast-check'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { thorough, thoroughly } from '../../../support/thorough.ts'
import { oddValues } from '../../../support/values/index.ts'
import { countOf, rowsOf, valuesOf, write } from '../../../support/writing.ts'

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => unknown
}

/** For each type, texts whose binary form some rows have as a Buffer. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  uuid: ['6f1c1ad6-7a52-4a7b-9b0c-0d5a1a1d9f00'],
  macaddr: ['08:00:2b:01:02:03'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  point: ['(1.5,-0)'],
  box: ['(1,1),(0,0)'],
  'bit(5)': ['10101', '00000'],
  varbit: ['1', '101010101'],
  oid: ['4000000000'],
  inet: ['10.1.2.3/8', '::1'],
  cidr: ['10.0.0.0/8'],
  int4: ['-7'],
  int8: ['9007199254740993'],
  bool: ['t', 'f'],
  float4: ['0.1'],
  float8: ['0.1', '-0'],
  numeric: ['10.50'],
  'numeric(6,2)': ['10.505'],
  date: ['2024-06-01'],
  timestamp: ['2024-06-01 12:00:00.123456'],
  timestamptz: ['2024-06-01 12:00:00.123456+00'],
  interval: ['1 mon 2 days 00:00:03'],
  int4range: ['[1,5)'],
  'int4[]': ['{1,NULL,3}'],
  'uuid[]': ['{6f1c1ad6-7a52-4a7b-9b0c-0d5a1a1d9f00}'],
  name: ['a name'],
  text: ['schön'],
  'varchar(3)': ['abc', 'abcd'],
  json: ['{"b": 1, "a": 2}'],
  jsonb: ['{"b": 1, "a": 2}'],
  bytea: ['\\x00ff'],
}

const WAYS = [
  { title: 'auto', method: 'auto' },
  { title: 'copy', method: 'copy' },
  { title: 'text copy', method: 'copy', copyFormat: 'text' },
  { title: 'insert', method: 'insert' },
] as const

interface Row {
  readonly id: number
  readonly c: unknown
  readonly at?: unknown
}

/** A timestamptz without a zone, which only the server's own parser takes. */
const FORCES_TEXT = '2024-06-01 12:00'

describe('One odd row among others', function () {
  this.timeout(120_000)
  const database = useDatabase()

  /** What `pg` stores of each row by itself. */
  async function byPg(table: string, rows: readonly Row[]): Promise<unknown[][]> {
    await database.pool.query(`TRUNCATE ${table}`)
    for (const { id, c, at } of rows) {
      try {
        prepareValue(c)
        await database.pool.query(`INSERT INTO ${table} (id, c, at) VALUES ($1, $2, $3)`, [id, c, at])
      } catch {} // refused: it is not in the table
    }
    return stored(table)
  }

  const stored = (table: string): Promise<unknown[][]> =>
    valuesOf(database.pool, `SELECT id, c::text, at::text FROM ${table} ORDER BY id`)

  async function binaryOf(sqlType: string, text: string): Promise<Buffer> {
    const base = sqlType.replace(/\(.*\)/, '')
    const { rows } = await database.pool.query(`SELECT typsend FROM pg_type WHERE oid = '${base}'::regtype`)
    const send = await database.pool.query(`SELECT ${rows[0].typsend}($1::${base}) AS bytes`, [text])
    return send.rows[0].bytes
  }

  for (const [sqlType, texts] of Object.entries(TYPES)) {
    it(`stores each ${sqlType} as pg would, although another row is sent as text`, async () => {
      await database.pool.query(
        `DROP TABLE IF EXISTS odd; CREATE TABLE odd (id int, c ${sqlType}, at timestamptz)`,
      )
      const bytes = await Promise.all(texts.map(text => binaryOf(sqlType, text)))
      const values = [...bytes, ...texts, null, Buffer.from([1]), Buffer.alloc(0), new Uint8Array(bytes[0]!)]
      const rows = values.map((c, id): Row => ({ id, c }))
      const odd: Row = { id: 100, c: texts[0], at: FORCES_TEXT }
      for (const place of thoroughly(2, 0, rows.length)) {
        const batch = [...rows.slice(0, place), odd, ...rows.slice(place)]
        const expected = await byPg('odd', batch)
        expect(expected.length).to.be.at.least(texts.length)
        for (const { title, ...way } of WAYS) {
          await database.pool.query('TRUNCATE odd')
          const { stats } = await write([batch], {
            pool: database.pool,
            table: 'odd',
            rejectLimit: Infinity,
            ...way,
          })
          expect(await stored('odd'), `${title}, the odd row at ${place}`).to.deep.equal(expected)
          expect(stats.rowsRejected).to.equal(batch.length - expected.length)
        }
      }
    })
  }

  it('stores any mixture of values as pg does row by row', async () => {
    for (const sqlType of ['uuid', 'point', 'int8', 'timestamptz', 'text']) {
      await database.pool.query(
        `DROP TABLE IF EXISTS odd; CREATE TABLE odd (id int, c ${sqlType}, at timestamptz)`,
      )
      const bytes = await Promise.all(TYPES[sqlType]!.map(text => binaryOf(sqlType, text)))
      const value = fc.oneof(
        fc.constantFrom<unknown>(...bytes, ...TYPES[sqlType]!),
        // this test is not about deviations 1 and 2 of the encoder
        oddValues.filter(value => !(value instanceof Date) && !Array.isArray(value)),
      )
      const at = fc.constantFrom(undefined, FORCES_TEXT, '2024-06-01T12:00:00Z')
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ c: value, at }), { minLength: 1, maxLength: 12 }),
          fc.constantFrom(...WAYS),
          async (records, { title: _, ...way }) => {
            const rows = records.map((record, id): Row => ({ id, ...record }))
            const expected = await byPg('odd', rows)
            await database.pool.query('TRUNCATE odd')
            await write([rows], { pool: database.pool, table: 'odd', rejectLimit: Infinity, ...way })
            expect(await stored('odd')).to.deep.equal(expected)
          },
        ),
        { numRuns: thorough(25) },
      )
    }
  })

  it('keeps the order of an upsert, and its missing keys, when some rows go another way', async () => {
    await database.pool.query('CREATE TABLE upserted (id int PRIMARY KEY, c point, n int DEFAULT 7)')
    const point = await binaryOf('point', '(1,2)')
    const rows = rowsOf(200, index => ({ id: index % 50, c: index % 3 === 0 ? point : `(0,${index})` }))
    rows.splice(20, 0, { id: 60, c: point, n: 1 } as never)
    for (const method of ['copy', 'insert'] as const) {
      await database.pool.query('TRUNCATE upserted')
      await write([rows], {
        pool: database.pool,
        table: 'upserted',
        method,
        onConflict: { target: ['id'], action: 'update' },
      })
      const last = new Map<number, unknown[]>(
        rows.map(row => [row.id, [row.c === point ? '(1,2)' : row.c, row.id === 60 ? 1 : 7]]),
      )
      const kept = await valuesOf(database.pool, 'SELECT id, c::text, n FROM upserted ORDER BY id')
      expect(kept).to.deep.equal(
        rowsOf(50, id => id)
          .concat(60)
          .map(id => [id, ...last.get(id)!]),
      )
    }
  })

  it('rejects only the row that pg refuses, and names it, in batch after batch', async () => {
    await database.pool.query('CREATE TABLE batches (id int, c macaddr, at timestamptz)')
    const good = Buffer.from([1, 2, 3, 4, 5, 6])
    const batches = rowsOf(5, batch =>
      rowsOf(100, id => ({ id, c: id === 40 + batch ? Buffer.from([1, 2]) : good, at: FORCES_TEXT })),
    )
    const rejected: unknown[] = []
    const sink = new PgBatchWritable({ pool: database.pool, table: 'batches', rejectLimit: 5 })
    sink.on('reject', ({ index, error }) => rejected.push([error.batchId, index, error.column]))
    for (const batch of batches) sink.write(batch)
    await new Promise<void>((resolve, reject) => {
      sink.on('error', reject)
      sink.end(resolve)
    })
    expect(await countOf(database.pool, 'batches')).to.equal(495)
    expect(rejected.map(row => (row as unknown[]).slice(0, 2))).to.deep.equal(
      rowsOf(5, batch => [batch + 1, 40 + batch]),
    )
  })
})
