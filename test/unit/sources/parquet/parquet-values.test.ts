import { expect } from 'chai'
import { LongNumber, RawJson, toJsonText } from '../../../../lib/values/exact-json.ts'
import { useFolder } from '../../../support/folder.ts'
import { asInt96, type Element, type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { readParquet, utf8 } from './parquet-support.ts'

/** What a table would get, with the kinds of values that it distinguishes. */
const plain = (value: unknown): unknown => {
  if (value instanceof LongNumber) return `number ${value.text}`
  if (value instanceof RawJson) return `json ${value.text}`
  return Buffer.isBuffer(value) ? `bytes ${value.toString('hex')}` : value
}

const bytes = (...values: number[]) => Uint8Array.from(values)
const of = (
  title: string,
  element: Element,
  type: string,
  ...pairs: (readonly [stored: unknown, value: unknown])[]
) => ({ title, element, type, pairs })
const timestamp = (unit: 'MILLIS' | 'MICROS' | 'NANOS', isAdjustedToUTC: boolean): Element => ({
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', unit, isAdjustedToUTC },
})
const time = (unit: 'MILLIS' | 'MICROS' | 'NANOS'): Element => ({
  type: unit === 'MILLIS' ? 'INT32' : 'INT64',
  logical_type: { type: 'TIME', unit, isAdjustedToUTC: true },
})
const integer = (bitWidth: number, isSigned: boolean): Element => ({
  type: bitWidth === 64 ? 'INT64' : 'INT32',
  logical_type: { type: 'INTEGER', bitWidth, isSigned },
})
const decimal = (
  type: NonNullable<Element['type']>,
  precision: number,
  scale: number,
  type_length?: number,
): Element => ({
  type,
  converted_type: 'DECIMAL',
  precision,
  scale,
  ...(type_length === undefined ? {} : { type_length }),
})
const days = (year: number, month: number, day: number): number => {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / 86_400_000
}

const kinds = [
  of('booleans', { type: 'BOOLEAN' }, 'boolean', [true, true], [false, false]),
  of('INT32', { type: 'INT32' }, 'integer', [-2147483648, -2147483648], [2147483647, 2147483647]),
  of(
    'INT64',
    { type: 'INT64' },
    'bigint',
    [1n, 1],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [2n ** 53n + 1n, 'number 9007199254740993'],
    [-(2n ** 63n), 'number -9223372036854775808'],
  ),
  of('signed bytes', integer(8, true), 'smallint', [-128, -128]),
  of(
    'signed shorts, by their old name',
    { type: 'INT32', converted_type: 'INT_16' },
    'smallint',
    [-32768, -32768],
  ),
  of('unsigned bytes', integer(8, false), 'smallint', [255, 255]),
  of('unsigned shorts', integer(16, false), 'integer', [65535, 65535]),
  of('unsigned 32 bits', { type: 'INT32', converted_type: 'UINT_32' }, 'bigint', [4294967295, 4294967295]),
  of(
    'unsigned 64 bits',
    { type: 'INT64', converted_type: 'UINT_64' },
    'numeric(20,0)',
    [2n ** 64n - 1n, 'number 18446744073709551615'],
    [7n, 7],
  ),
  of('FLOAT', { type: 'FLOAT' }, 'real', [1.5, 1.5], [Number.NaN, Number.NaN], [-Infinity, -Infinity]),
  of('DOUBLE', { type: 'DOUBLE' }, 'double precision', [0.1, 0.1], [-0, 'number -0'], [5e-324, 5e-324]),
  of(
    'half floats',
    { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
    'real',
    [-1.5, -1.5],
    [65504, 65504],
    [Infinity, Infinity],
  ),
  of(
    'decimals of 32 bits',
    decimal('INT32', 9, 2),
    'numeric(9,2)',
    [-5n, 'number -0.05'],
    [999999999n, 'number 9999999.99'],
    [0n, 'number 0.00'],
  ),
  of('decimals of 64 bits', decimal('INT64', 18, 3), 'numeric(18,3)', [
    123456789012345678n,
    'number 123456789012345.678',
  ]),
  of(
    'decimals of fixed length',
    decimal('FIXED_LEN_BYTE_ARRAY', 38, 10, 16),
    'numeric(38,10)',
    [-12345678901234567890123456789012345678n, 'number -1234567890123456789012345678.9012345678'],
    [1n, 'number 0.0000000001'],
  ),
  of(
    'decimals of any length',
    decimal('BYTE_ARRAY', 38, 0),
    'numeric(38,0)',
    [-129n, 'number -129'],
    [10n ** 37n, `number 1${'0'.repeat(37)}`],
    [0n, 'number 0'],
  ),
  of(
    'dates, also before 1970 and before the year 1',
    { type: 'INT32', converted_type: 'DATE' },
    'date',
    [days(2026, 11, 23), '2026-11-23'],
    [days(1969, 12, 31), '1969-12-31'],
    [days(2000, 2, 29), '2000-02-29'],
    [days(1, 1, 1), '0001-01-01'],
    [days(0, 12, 31), '0001-12-31 BC'],
    [days(-43, 3, 15), '0044-03-15 BC'],
    [days(99999, 12, 31), '99999-12-31'],
  ),
  of(
    'timestamps of milliseconds in UTC',
    timestamp('MILLIS', true),
    'timestamptz',
    [0n, '1970-01-01T00:00:00.000000Z'],
    [-1n, '1969-12-31T23:59:59.999000Z'],
  ),
  of('timestamps by their old name', { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' }, 'timestamptz', [
    1_000_001n,
    '1970-01-01T00:00:01.000001Z',
  ]),
  of(
    'timestamps of microseconds without a zone',
    timestamp('MICROS', false),
    'timestamp',
    [1795425723456789n, '2026-11-23T09:22:03.456789'],
    [BigInt(days(-43, 3, 15)) * 86_400_000_000n, '0044-03-15T00:00:00.000000 BC'],
  ),
  of(
    'timestamps of nanoseconds, with those that PostgreSQL would round',
    timestamp('NANOS', true),
    'timestamptz',
    [1_001_000n, '1970-01-01T00:00:00.001001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [2n ** 63n - 1n, '2262-04-11T23:47:16.854775807Z'],
  ),
  of(
    'times of milliseconds',
    time('MILLIS'),
    'time',
    [86_399_999, '23:59:59.999000'],
    [0, '00:00:00.000000'],
  ),
  of('times of microseconds', time('MICROS'), 'time', [3_600_000_001n, '01:00:00.000001']),
  of('times of nanoseconds', time('NANOS'), 'time', [61_000_000_001n, '00:01:01.000000001']),
  of(
    'texts',
    utf8,
    'text',
    ['', ''],
    ['ä€𝄞\ufffd', 'ä€𝄞\ufffd'],
    ['\ufeffmark', '\ufeffmark'],
    ['a\0b', 'a\0b'],
  ),
  of('texts by their new name', { type: 'BYTE_ARRAY', logical_type: { type: 'STRING' } }, 'text', [
    Buffer.from('é'),
    'é',
  ]),
  of('enums', { type: 'BYTE_ARRAY', converted_type: 'ENUM' }, 'text', [Buffer.from('RED'), 'RED']),
  of('JSON as it was written', { type: 'BYTE_ARRAY', converted_type: 'JSON' }, 'jsonb', [
    { b: [1, null], a: 'x' },
    'json {"b":[1,null],"a":"x"}',
  ]),
  of('bytes', { type: 'BYTE_ARRAY' }, 'bytea', [bytes(0, 255), 'bytes 00ff'], [bytes(), 'bytes ']),
  of('bytes of a fixed length', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 3 }, 'bytea', [
    bytes(1, 2, 3),
    'bytes 010203',
  ]),
  of('UUIDs', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }, 'uuid', [
    '00112233-4455-6677-8899-aabbccddeeff',
    '00112233-4455-6677-8899-aabbccddeeff',
  ]),
]

const list = (element: Element, name = 'list'): Element[] => [
  { converted_type: 'LIST', num_children: 1 },
  { name, repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', ...element },
]

describe('values in a Parquet file', () => {
  const write = useFolder()
  const read = (content: Buffer) => readParquet(write, content)

  for (const { title, element, type, pairs } of kinds) {
    it(`gives ${title} whole, and NULL, as ${type}`, async () => {
      // twice as many as there are, so that some columns are kept as a dictionary
      const data = [...pairs, [null, null] as const, ...pairs].flatMap(pair => [pair, pair])
      for (const encoding of [undefined, 'PLAIN']) {
        const columns = [{ name: 'v', schema: [element], data: data.map(([stored]) => stored), encoding }]
        const { rows, columns: described } = await read(parquetOf(columns as MadeColumn[]))
        expect(rows.map(({ v }) => plain(v))).to.deep.equal(data.map(([, value]) => value))
        expect(described).to.have.length(1)
        expect(described![0]).to.include({ name: 'v', type, always: false })
      }
    })
  }

  it('gives INT96 timestamps, which name no zone', async () => {
    const stored = Buffer.alloc(12)
    stored.writeBigInt64LE(3_600_000_000_001n, 0)
    stored.writeInt32LE(2_440_588 - 1, 8) // the Julian day of 1969-12-31
    const schema = [{ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, repetition_type: 'REQUIRED' }] as const
    const made = parquetOf([{ name: 'v', schema, data: [new Uint8Array(stored)] }])
    const { rows, columns } = await read(asInt96(made))
    expect(rows).to.deep.equal([{ v: '1969-12-31T01:00:00.000000001' }])
    expect(columns![0]).to.include({ type: 'timestamp', nanoseconds: true, always: true })
  })

  it('gives intervals', async () => {
    const view = new Uint8Array(Uint32Array.of(14, 3, 3_661_001).buffer)
    const schema = [{ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, converted_type: 'INTERVAL' }] as const
    const { rows, columns } = await read(parquetOf([{ name: 'v', schema, data: [view] }]))
    expect(rows).to.deep.equal([{ v: '14 mons 3 days 01:01:01.001000' }])
    expect(columns![0]!.type).to.equal('interval')
  })

  describe('of nested columns', () => {
    const nested: [title: string, schema: Element[], type: string, values: unknown[], json?: string[]][] = [
      ['lists', list({ type: 'INT32' }), 'integer[]', [[1, 2], [], null, [null, 3]]],
      ['lists of texts', list(utf8), 'text[]', [['a', ''], null, ['b', null]]],
      [
        'lists of integers that no number holds',
        list({ type: 'INT64' }),
        'bigint[]',
        [[1n, 2n ** 63n - 1n]],
        ['[1,9223372036854775807]'],
      ],
      [
        'lists of numbers that JSON has not',
        list({ type: 'DOUBLE' }),
        'double precision[]',
        [[Number.NaN, 1.5]],
        ['["NaN",1.5]'],
      ],
      ['lists of bytes', list({ type: 'BYTE_ARRAY' }), 'bytea[]', [[bytes(1, 255)]], ['["\\\\x01ff"]']],
      [
        'lists of lists',
        [...list({ converted_type: 'LIST', num_children: 1 }), ...list({ type: 'INT32' }).slice(1)],
        'jsonb',
        [[[1], [], null, [2, null]], [], null],
      ],
      [
        'structs',
        [{ num_children: 2 }, { name: 'a', type: 'INT64' }, { name: 'b', ...utf8 }],
        'jsonb',
        [{ a: 1n, b: 'x' }, null, { a: null, b: 'y' }],
        ['{"a":1,"b":"x"}', 'null', '{"a":null,"b":"y"}'],
      ],
      [
        'lists of structs',
        [...list({ num_children: 2 }), { name: 'a', type: 'INT32' }, { name: 'b', ...utf8 }],
        'jsonb',
        [
          [
            { a: 1, b: 'x' },
            { a: null, b: null },
          ],
          [],
          null,
        ],
      ],
      [
        'maps',
        [
          { converted_type: 'MAP', num_children: 1 },
          { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
          { name: 'key', ...utf8, repetition_type: 'REQUIRED' },
          { name: 'value', ...timestamp('MILLIS', true) },
        ],
        'jsonb',
        [{ b: 0n, a: null }, {}, null],
        ['{"b":"1970-01-01T00:00:00.000000Z","a":null}', '{}', 'null'],
      ],
    ]
    for (const [title, schema, type, values, json = values.map(value => JSON.stringify(value))] of nested) {
      it(`gives ${title} as ${type}`, async () => {
        const many = Array.from({ length: 50 }, () => values).flat()
        for (const pageSize of [1 << 20, 30]) {
          const made = parquetOf([{ name: 'v', schema, data: many }], { pageSize, rowGroupSize: 70 })
          const { rows, columns } = await read(made)
          expect(columns![0]!.type).to.equal(type)
          expect(rows.map(({ v }) => toJsonText(v))).to.deep.equal(
            Array.from({ length: 50 }, () => json).flat(),
          )
        }
      })
    }
  })
})
