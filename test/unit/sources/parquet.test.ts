import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import type { CompressionCodec } from 'hyparquet'
import { LongNumber, RawJson, toJsonText } from '../../../lib/exact-json.ts'
import { openSource } from '../../../lib/sources/open-source.ts'
import type { Source } from '../../../lib/sources/source.ts'
import { type Element, type MadeColumn, numbered, parquetOf } from '../../support/parquet.ts'
import { failure } from './support.ts'

describe('a Parquet file', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sources-'))
  })
  after(() => rm(folder, { recursive: true }))

  let files = 0
  async function file(content: Buffer, name = `${++files}.parquet`): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }

  type Row = Record<string, unknown>
  async function read(content: Buffer): Promise<Omit<Source, 'rows'> & { rows: Row[] }> {
    const source = await openSource(await file(content))
    return { ...source, rows: (await source.rows.toArray()) as Row[] }
  }

  /** What a table would get, with the kinds of values that are told apart there. */
  const plain = (value: unknown): unknown => {
    if (value instanceof LongNumber) return `number ${value.text}`
    if (value instanceof RawJson) return `json ${value.text}`
    return Buffer.isBuffer(value) ? `bytes ${value.toString('hex')}` : value
  }

  const utf8 = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
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
    of('DOUBLE', { type: 'DOUBLE' }, 'double precision', [0.1, 0.1], [-0, -0], [5e-324, 5e-324]),
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
    // the writer has no INT96: it is stored as twelve bytes are, and only called another type
    for (let at = made.length - made.readUInt32LE(made.length - 8) - 8; at < made.length - 8; at++) {
      if (made[at] === 0x15 && made[at + 1] === 14) made[at + 1] = 6
    }
    const { rows, columns } = await read(made)
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

  const list = (element: Element, name = 'list'): Element[] => [
    { converted_type: 'LIST', num_children: 1 },
    { name, repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...element },
  ]

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

  for (const codec of [
    'UNCOMPRESSED',
    'SNAPPY',
    'GZIP',
    'BROTLI',
    'ZSTD',
    'LZ4',
    'LZ4_RAW',
  ] as CompressionCodec[]) {
    it(`is unpacked by ${codec}, over several row groups and pages`, async () => {
      const { rows } = await read(numbered(3000, { codec, rowGroupSize: 1100, pageSize: 1000 }))
      expect(rows).to.deep.equal(
        Array.from({ length: 3000 }, (_, i) => ({ id: i + 1, note: `row ${i + 1}` })),
      )
    })
  }

  it('is known by its first bytes whatever its name, and by --format; text that begins so is text', async () => {
    const open = async (...words: Parameters<typeof openSource>) => {
      const { rows, ...source } = await openSource(...words)
      rows.destroy()
      return source
    }
    const content = numbered(3)
    for (const name of ['data', 'data.csv']) {
      expect((await open(await file(content, name))).format).to.equal('parquet')
    }
    expect((await open(await file(content), { format: 'parquet' })).format).to.equal('parquet')
    const csv = await open(await file(Buffer.from('PAR1,b\n1,2\n'), 'par.csv'))
    expect(csv).to.deep.include({ format: 'csv', header: ['PAR1', 'b'] })
  })

  it('has all of its bytes counted at the end', async () => {
    const path = await file(numbered(3000))
    let raw: { bytesRead?: number } | undefined
    const { rows } = await openSource(path, { onOpen: opened => (raw = opened as { bytesRead?: number }) })
    const all = await rows.toArray()
    expect(all).to.have.length(3000)
    expect(raw!.bytesRead).to.equal(numbered(3000).length)
  })

  it('without rows gives its columns', async () => {
    const { rows, header } = await read(numbered(0))
    expect({ rows, header }).to.deep.equal({ rows: [], header: ['id', 'note'] })
  })

  it('reads ahead no further than it has to, and closes the file when its rows are destroyed', async () => {
    const { rows } = await openSource(
      await file(numbered(100_000, { rowGroupSize: 100_000, pageSize: 2000 })),
    )
    await new Promise(resolve => rows.once('readable', resolve))
    expect((rows as Readable & { bytesRead: number }).bytesRead).to.be.below(20_000)
    await new Promise(resolve => rows.once('close', resolve).destroy())
  })

  describe('is refused in one line', () => {
    const content = numbered(3000, { codec: 'GZIP' })
    const cases: [title: string, name: string, content: Buffer, line: RegExp][] = [
      [
        'packed as a whole',
        'a.parquet.gz',
        gzipSync(content),
        /a packed Parquet file cannot be read from its end; unpack/,
      ],
      ['packed under another name', 'a.gz', gzipSync(content), /a packed Parquet file cannot be read/],
      [
        'packed by Brotli',
        'a.parquet.br',
        brotliCompressSync(content),
        /a packed Parquet file cannot be read/,
      ],
      [
        'cut off',
        'b.parquet',
        content.subarray(0, -100),
        /does not end as a Parquet file does; is it cut off\?/,
      ],
      ['too short', 'c.parquet', Buffer.from('PAR1PAR1'), /does not end as a Parquet file does/],
      ['empty', 'd.parquet', Buffer.alloc(0), /does not begin as a Parquet file does/],
      ['text', 'e.parquet', Buffer.from('a,b\n1,2\n'), /does not begin as a Parquet file does/],
      [
        'encrypted',
        'f.parquet',
        Buffer.concat([Buffer.from('PARE'), content.subarray(4)]),
        /the Parquet file is encrypted/,
      ],
      [
        'damaged at its end',
        'g.parquet',
        Buffer.concat([content.subarray(0, -40), Buffer.alloc(32, 0xff), content.subarray(-8)]),
        /the end of the Parquet file, which says what is in it, is damaged/,
      ],
    ]
    for (const [title, name, bytes, line] of cases) {
      it(`when ${title}`, async () => {
        const path = await file(bytes, name)
        const message = await failure(openSource(path))
        expect(message.startsWith(`${path}: `)).to.equal(true)
        expect(message).to.match(line)
      })
    }

    it('on standard input', async () => {
      for (const options of [{}, { format: 'parquet' as const }]) {
        const stdin = Readable.from([content], { objectMode: false })
        expect(await failure(openSource('-', { stdin, ...options }))).to.equal(
          'standard input: a Parquet file is read from its end, which a pipe cannot show; save it to a file and load that',
        )
      }
      const stdin = Readable.from([gzipSync(content)], { objectMode: false })
      expect(await failure(openSource('-', { stdin }))).to.match(/a Parquet file is read from its end/)
    })

    it('when its pages are damaged, after the rows before them', async () => {
      const made = numbered(3000, { codec: 'GZIP', rowGroupSize: 1000 })
      const path = await file(made)
      const broken = Buffer.from(made)
      broken.fill(0xff, made.length >> 1, (made.length >> 1) + 200)
      await writeFile(path, broken)
      const { rows } = await openSource(path)
      let count = 0
      const message = await failure(rows.forEach(() => void count++))
      expect(message).to.match(
        /^.*\.parquet: row group 2, column "(id|note)": the data are damaged or cut off$/,
      )
      expect(count).to.equal(1000)
    })

    it('when a text is not UTF-8, by its column', async () => {
      const schema = [utf8]
      const made = parquetOf([{ name: 'v', schema, data: [Buffer.from('caf\xe9', 'latin1')] }])
      expect(await failure(read(made))).to.match(/row group 1, column "v": a text is not valid UTF-8$/)
    })

    it('when it names a column twice', async () => {
      const column = { name: 'v', schema: [{ type: 'INT32' as const }], data: [1] }
      expect(await failure(read(parquetOf([column, column])))).to.match(/two columns are called "v"$/)
    })

    it('when a column is packed with what cannot be unpacked', async () => {
      const made = numbered(10, { codec: 'UNCOMPRESSED' })
      const path = await file(made)
      const source = await openSource(path)
      source.rows.destroy()
      // LZO is 3 in the footer, UNCOMPRESSED 0: the field after the path in the schema
      for (let at = made.length - made.readUInt32LE(made.length - 8) - 8; at < made.length - 8; at++) {
        if (made[at] === 0x15 && made[at + 1] === 0 && made[at + 2] === 0x16) made[at + 1] = 6
      }
      expect(await failure(read(made))).to.match(/column "id": is packed with LZO, which cannot be read$/)
    })
  })
})
