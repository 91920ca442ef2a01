import { Readable, Writable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import { loadWasmEncoder } from '../../../../lib/cli/rows/load-wasm-encoder.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { readCsv } from '../../../../lib/sources/csv/csv.ts'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import type { Records } from '../../../../lib/sources/csv/record-rows.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { failureOf, write } from '../../../support/writing.ts'

const HEADER = ['id', 'n', 'd', 'f', 'b', 't', 'at', 'j']

/** Without the last column every type has a binary form. */
const TABLES = {
  binary: 'id int, n bigint, d numeric(12,2), f float8, b boolean, t varchar(6), at timestamptz, j jsonb',
  text: 'id int, n bigint, d numeric(12,2), f float8, b boolean, t varchar(6), at timestamptz, j int[]',
}

const DIALECTS: readonly (DialectOptions & { delimiter: string })[] = [
  { delimiter: ',' },
  { delimiter: '\t', quote: "'", nulls: ['NULL', '\\N'] },
  { delimiter: ';', escape: '\\', nulls: ['', '-'] },
  { delimiter: '|', quote: undefined },
]

/** A CSV file, as tables of three records. */
async function recordsOf(
  text: string,
  { delimiter, ...options }: (typeof DIALECTS)[number],
): Promise<{ records: Records; batches: RecordTable[] }> {
  let found: Records | undefined
  const reader = readCsv(
    'f.csv',
    resolveDialect(options, delimiter),
    { batchRows: 3, fill: true },
    records => {
      found = records
    },
  )
  const batches = await Readable.from([Buffer.from(text)])
    .pipe(reader)
    .toArray()
  return { records: found!, batches }
}

describe('CSV records', () => {
  const database = useDatabase()

  const make = (columns: string) => database.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (${columns})`)
  const content = async () => (await database.pool.query('SELECT t::text FROM t ORDER BY id, t::text')).rows

  async function load(
    batches: readonly (RecordTable | readonly object[])[],
    options: Partial<PgBatchWritableOptions<object>>,
    rowOf: (row: unknown) => unknown = row => row,
  ) {
    const rejects: unknown[] = []
    await database.pool.query('TRUNCATE t')
    const deadLetter = new Writable({
      objectMode: true,
      write({ batchId, index, row, error }: RejectedRow, _encoding, done) {
        const { sqlState, column } = error
        rejects.push({ batchId, index, row: rowOf(row), sqlState, column })
        done()
      },
    })
    await write(
      batches as readonly (readonly object[])[],
      {
        pool: database.pool,
        table: 't',
        rejectLimit: Infinity,
        deadLetter,
        ...options,
      } as never,
    )
    return { rows: await content(), rejects }
  }

  const good = {
    id: fc.nat(9).map(String),
    n: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    d: fc.constantFrom('1', '-20.5', '1e3', '0.005', '007', ' 4 '),
    f: fc.double().map(String),
    b: fc.constantFrom('t', 'false', 'yes', 'OFF', ' true'),
    t: fc.string({
      unit: fc.constantFrom('a', '€', '"', "'", '\\', '\n', '\r\n', '\t', ',', ';', '|', '\u{1f600}'),
      maxLength: 5,
    }),
    at: fc.constantFrom(
      '2024-02-29T12:00:00.5Z',
      '2024-02-29 12:00',
      'infinity',
      '0044-03-15 10:00:00+01 BC',
    ),
    j: fc.constantFrom('1', '{}', ' [1, 2]', '{"a": "€"}', '{1,2}'),
  } as const
  const bad = fc.constantFrom('x', '9e999', '2024-02-30', 'too long a text', '\\.')
  const field = (of: fc.Arbitrary<string>) =>
    fc.oneof({ weight: 14, arbitrary: of }, fc.constantFrom(null, ''), bad) as fc.Arbitrary<string | null>
  const rows = fc.array(fc.tuple(...Object.values(good).map(field)), { minLength: 1, maxLength: 8 })
  type Row = [string, string, string, string, string, string, string, string]
  const GOOD: Row = ['1', '-5', '-20.5', '1.5', 't', 'a€', '2024-02-29T12:00:00.5Z', '{}']
  const BAD: Row = ['x', '-5', '-20.5', '1.5', 't', 'a€', '2024-02-29T12:00:00.5Z', '{}']

  for (const [kind, columns] of Object.entries(TABLES)) {
    for (const dialect of DIALECTS) {
      it(`are stored and rejected like objects: ${kind} COPY, ${JSON.stringify(dialect)}`, async () => {
        await make(columns)
        let rejected = 0
        let stored = 0
        await fc.assert(
          fc.asyncProperty(rows, fc.boolean(), fc.boolean(), async (table, hasWasm, asTables) => {
            const lines = [HEADER, ...table].map(row => writeCsv(row, dialect))
            const { records, batches } = await recordsOf(lines.join('\r\n'), dialect)
            const { format, header, rowOf } = records
            const csv = { format, fields: header, wasm: hasWasm ? loadWasmEncoder() : undefined }
            const written = asTables ? batches : batches.map(batch => batch.all())
            const asRecords = await load(written, { csv }, row => rowOf(row as CsvRecord))
            const objects = batches.map(batch => [...batch].map(rowOf))
            const asObjects = await load(objects, { method: 'copy' })
            expect(asRecords).to.deep.equal(asObjects)
            rejected += asObjects.rejects.length
            stored += asObjects.rows.length
          }),
          { numRuns: 12, examples: [[[GOOD, BAD, GOOD, GOOD, BAD, BAD], true, true]] },
        )
        expect(rejected).to.be.at.least(3)
        expect(stored).to.be.at.least(3)
      }).timeout(120_000)
    }
  }

  const csv = async (text: string) => {
    const { records, batches } = await recordsOf(text, { delimiter: ',' })
    return { batches, csv: { format: records.format, fields: records.header } }
  }

  it('leave out a field without a column, and write columns in any order', async () => {
    await make("id int, a text DEFAULT 'unused', b text")
    const { batches, csv: all } = await csv('b,x,id\nB,X,1\n')
    await load(batches, { csv: { ...all, fields: ['b', undefined, 'id'] } })
    expect((await database.pool.query('SELECT * FROM t')).rows).to.deep.equal([
      { id: 1, a: 'unused', b: 'B' },
    ])
  })

  it('are rejected for too many fields and too few, by line, before the server sees them', async () => {
    await make('id int, b text')
    const { batches, csv: all } = await csv('id,b\n1,"x\ny"\n2\n3,z\n4,5,6\n')
    const writable = new PgBatchWritable({ pool: database.pool, table: 't', csv: all, rejectLimit: 2 })
    const rejects: RejectedRow[] = []
    writable.on('reject', reject => rejects.push(reject))
    for (const batch of batches) writable.write(batch as never)
    await new Promise(resolve => writable.end(resolve))
    expect(
      rejects.map(({ index, error }) => [index, error.code, error.message.replace(/ \[.*/, '')]),
    ).to.deep.equal([
      [1, 'VALUE_NOT_ENCODABLE', 'the record that begins on line 4 has 1 field, the file has 2 columns'],
      [0, 'VALUE_NOT_ENCODABLE', 'the record that begins on line 6 has 3 fields, the file has 2 columns'],
    ])
    expect((await database.pool.query('SELECT id FROM t ORDER BY id')).rows).to.deep.equal([
      { id: 1 },
      { id: 3 },
    ])
  })

  it('are written from the table of their places, without an object for each', async () => {
    await make('id int, b text')
    const lines = Array.from({ length: 1000 }, (_, index) => `${index},"a, b"`)
    const { batches, csv: all } = await csv(`id,b\n${lines.join('\n')}\n`)
    let objects = 0
    for (const batch of batches) {
      const at = batch.at.bind(batch)
      batch.at = index => {
        objects++
        return at(index)
      }
      batch.all = () => [...batch].map((_, index) => batch.at(index))
    }
    await write(
      batches as never,
      {
        pool: database.pool,
        table: 't',
        csv: { ...all, wasm: loadWasmEncoder() },
      } as PgBatchWritableOptions<object, Record<string, unknown>>,
    )
    const { rows } = await database.pool.query('SELECT count(*)::int AS rows, sum(id)::int AS sum FROM t')
    expect(rows).to.deep.equal([{ rows: 1000, sum: 499_500 }])
    expect(objects).to.equal(0)
  })

  it('update rows by key, the last record of a key winning', async () => {
    await make('id int PRIMARY KEY, b text')
    await database.pool.query("INSERT INTO t VALUES (1, 'old'), (9, 'kept')")
    const { batches, csv: all } = await csv('id,b\n1,a\n2,b\n1,c\n2,\n3,d\n')
    await write(
      batches as never,
      {
        pool: database.pool,
        table: 't',
        csv: all,
        onConflict: { target: ['id'], action: 'update' },
      } as PgBatchWritableOptions<object, Record<string, unknown>>,
    )
    expect((await database.pool.query('SELECT * FROM t ORDER BY id')).rows).to.deep.equal([
      { id: 1, b: 'c' },
      { id: 2, b: null },
      { id: 3, b: 'd' },
      { id: 9, b: 'kept' },
    ])
  })

  it('are required with the option `csv`', async () => {
    await make('id int')
    const { csv: all } = await csv('id\n1\n')
    const error = await failureOf(write([[{ id: 1 }]], { pool: database.pool, table: 't', csv: all }))
    expect(error).to.include({ code: 'VALUE_NOT_ENCODABLE', outcome: 'rolled-back' })
    expect(error.message).to.match(/^expected a CsvRecord/)
  })

  it('show their own text, and not the chunk with the others', () => {
    expect(JSON.stringify(new CsvRecord(Buffer.from('1,secret\n2,ö\n'), 9, 13, 2))).to.equal('"2,ö"')
  })
})

function writeCsv(row: readonly (string | null)[], dialect: (typeof DIALECTS)[number]): string {
  const { delimiter } = dialect
  const quote = 'quote' in dialect ? dialect.quote : '"'
  const nulls = dialect.nulls ?? ['']
  return row
    .map((field, index) => {
      if (field === null) return nulls[index % nulls.length]
      // values that the dialect cannot express are left out
      if (quote === undefined) return field.replaceAll(/[\r\n|]/g, '')
      if (/^[a-z]+$/.test(field)) return field
      const escapeBy = dialect.escape ?? quote
      const escaped = field.replaceAll(escapeBy, escapeBy + escapeBy)
      return quote + (escapeBy === quote ? escaped : escaped.replaceAll(quote, escapeBy + quote)) + quote
    })
    .join(delimiter)
}
