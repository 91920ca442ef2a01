import { readFile } from 'node:fs/promises'
import { finished, pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { BatchTransform } from '../../../../lib/batch/batch-transform.ts'
import { rowShaper } from '../../../../lib/cli/rows/shape-row.ts'
import { openSource } from '../../../../lib/sources/open-source.ts'
import { INTROSPECTION_SQL, introspectionValues } from '../../../../lib/table/introspect.ts'
import { readTable } from '../../../../lib/table/read-table.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { ndjsonDeadLetter } from '../../../../lib/write/rejects/ndjson-dead-letter.ts'
import { useFolder } from '../../../support/folder.ts'
import { type Element, type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

const text: Element = { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
const decimal = { converted_type: 'DECIMAL', precision: 18, scale: 2 } as const
const timestamp = (unit: 'MILLIS' | 'MICROS' | 'NANOS', isAdjustedToUTC: boolean): Element => ({
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', unit, isAdjustedToUTC },
})

const NUMBERS = ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text']
const TIMES = ['timestamp', 'timestamptz', 'timestamptz(3)', 'date', 'text']

/** Values of a file, and the types of the columns that they are loaded into. */
const CASES: readonly (readonly [
  title: string,
  element: Element,
  values: readonly unknown[],
  types: readonly string[],
])[] = [
  ['int32', { type: 'INT32' }, [0, -1, 70_000, 2 ** 31 - 1], [...NUMBERS, 'bool', 'numeric(5,1)']],
  ['int64', { type: 'INT64' }, [1n, -5n, 2n ** 40n, 2n ** 62n, -(2n ** 63n)], NUMBERS],
  ['double', { type: 'DOUBLE' }, [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 12.5], NUMBERS],
  ['float', { type: 'FLOAT' }, [0.5, -0, Number.NaN, 3.4e38], NUMBERS],
  ['boolean', { type: 'BOOLEAN' }, [true, false], ['bool', 'text', 'int4']],
  [
    'text',
    text,
    ['a', '', 'é\t\\N', 'x'.repeat(500), 'sad', 'a\0b'],
    ['text', 'varchar(4)', 'char(3)', 'mood', 'short', 'jsonb', 'name'],
  ],
  ['numbers as text', text, ['1', '2.50', 'x'], [...NUMBERS, 'bytea', 'date']],
  [
    'json',
    { type: 'BYTE_ARRAY', converted_type: 'JSON' },
    [{ b: 1, a: [null] }, 'x', ['sad'], 1.5],
    ['json', 'jsonb', 'text', 'mood', 'text[]'],
  ],
  [
    'bytes',
    { type: 'BYTE_ARRAY' },
    [Buffer.from([0, 92, 255]), Buffer.alloc(0), Buffer.alloc(300, 7)],
    ['bytea', 'text'],
  ],
  [
    'date',
    { type: 'INT32', converted_type: 'DATE' },
    [0, 19_000, -719_163, 2_932_897, -800_000],
    ['date', 'timestamp', 'text'],
  ],
  ['millis', timestamp('MILLIS', true), [0n, -1n, 1_700_000_000_123n], TIMES],
  ['micros', timestamp('MICROS', true), [1n, -62_135_596_800_000_000n, 9n * 10n ** 15n], TIMES],
  ['nanos', timestamp('NANOS', false), [1_700_000_000_123_456_000n, 1_700_000_000_123_456_789n, -1n], TIMES],
  [
    'decimal of 32 bits',
    { type: 'INT32', ...decimal },
    [12.5, -0.01, 0],
    ['numeric', 'numeric(4,1)', 'float8', 'text', 'int4'],
  ],
  [
    'decimal of 64 bits',
    { type: 'INT64', ...decimal },
    [12.5, -0.01, 99_999_999_999.99],
    ['numeric', 'float8', 'text', 'money'],
  ],
  ['time', { type: 'INT32', converted_type: 'TIME_MILLIS' }, [0, 86_399_999], ['time', 'text', 'interval']],
  [
    'uuid',
    { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
    ['00112233-4455-6677-8899-aabbccddeeff'],
    ['uuid', 'text'],
  ],
]

describe('pg-batch load of Parquet, column by column', () => {
  const database = useDatabase()
  const write = useFolder()

  before(() =>
    database.pool.query(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN short AS text CHECK (length(VALUE) < 100)",
    ),
  )

  const rowsOf = async (table: string): Promise<unknown[]> =>
    (await database.pool.query(`SELECT t::text FROM ${table} t ORDER BY id`)).rows

  /** The same values twice: as they are, and in another order behind a dictionary. */
  const columns = (element: Element, data: readonly unknown[]): MadeColumn[] => [
    { name: 'plain', schema: [element], data, encoding: 'PLAIN' },
    {
      name: 'behind',
      schema: [element],
      data: data.toReversed(),
      ...(element.type === 'BOOLEAN' ? {} : { encoding: 'RLE_DICTIONARY' }),
    },
  ]

  /** Loads the rows of a file as objects, one by one. */
  async function loadObjects(path: string, table: string, rejects: string): Promise<void> {
    const { rows } = await database.pool.query(INTROSPECTION_SQL, introspectionValues({ name: table }))
    const source = await openSource(path)
    const letters = ndjsonDeadLetter(rejects)
    const sink = new PgBatchWritable<Record<string, unknown>>({
      pool: database.pool,
      table,
      toRow: rowShaper(readTable(rows[0]), 'parquet'),
      method: 'copy',
      rejectLimit: Number.POSITIVE_INFINITY,
      deadLetter: letters,
    })
    await pipeline(source.rows, new BatchTransform<Record<string, unknown>>(), sink)
    await finished(letters.end())
  }

  /** The rejected rows in a file, without where and when they were rejected. */
  async function linesOf(path: string): Promise<object[]> {
    const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
    return lines.map(line => {
      const { row_index, code, sqlstate, column_name, row } = JSON.parse(line)
      return { row_index, code, sqlstate, column_name, row }
    })
  }

  for (const [title, element, values, types] of CASES) {
    it(`stores and rejects what the same rows as objects do: ${title}`, async () => {
      const count = 30
      const data = Array.from({ length: count }, (_, i) => (i % 4 === 3 ? null : values[i % values.length]))
      const ids: MadeColumn = { name: 'id', schema: [{ type: 'INT32' }], data: data.map((_, i) => i) }
      const path = await write('a.parquet', parquetOf([ids, ...columns(element, data)]))
      for (const type of types) {
        await database.pool.query(`
          DROP TABLE IF EXISTS by_columns, by_objects;
          CREATE TABLE by_columns (id int, plain ${type}, behind ${type});
          CREATE TABLE by_objects (LIKE by_columns)`)
        const rejects = `${path}.${title}.${type}.ndjson`
        const words = ['load', path, '--table', 'by_columns', '--rejects', rejects]
        const { status, stderr } = await run(words, { DATABASE_URL: database.connectionString })
        expect(status, `${type}: ${stderr}`).to.be.oneOf([0, 3])
        await loadObjects(path, 'by_objects', `${rejects}.twin`)
        expect(await rowsOf('by_columns'), type).to.deep.equal(await rowsOf('by_objects'))
        expect(await linesOf(rejects), type).to.deep.equal(await linesOf(`${rejects}.twin`))
      }
    }).timeout(120_000)
  }
})
