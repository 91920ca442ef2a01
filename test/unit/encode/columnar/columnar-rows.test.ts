import { expect } from 'chai'
import fc from 'fast-check'
import { fittersOf } from '../../../../lib/cli/rows/fit-value.ts'
import { loadBlockEncoder } from '../../../../lib/cli/rows/load-wasm-encoder.ts'
import { PARQUET_FILE } from '../../../../lib/cli/rows/shape-row.ts'
import { type Block, ColumnChunk } from '../../../../lib/columnar/block.ts'
import { BlockLayout, type BlockRow } from '../../../../lib/columnar/block-row.ts'
import { BlockTable } from '../../../../lib/columnar/block-table.ts'
import { Dictionary, lengthOf } from '../../../../lib/columnar/stored-values.ts'
import { BUILT_IN } from '../../../../lib/encode/codecs/codec-for.ts'
import type { BlockEncoder } from '../../../../lib/encode/columnar/wasm/block-encoder.ts'
import { STORED_KIND } from '../../../../lib/encode/columnar/wasm/stored-kind.ts'
import { makeRowEncoder, type RowEncoder } from '../../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'
import { splitFixed } from '../../../../lib/sources/parquet/pages/plain-values.ts'
import { leafType } from '../../../../lib/sources/parquet/types/leaf-type.ts'
import type { Column, PgType, Table } from '../../../../lib/types.ts'
import { allocateNew } from '../../../../lib/values/chunk-memory.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { thorough } from '../../../support/thorough.ts'
import {
  type INDEX_TYPES,
  maybeDictionary,
  positionsFor,
  STORED_COLUMNS,
  type StoredColumn,
} from './stored-columns.ts'

const TYPES = [...BUILT_IN].filter(([, codec]) => codec.binary).map(([type]) => type)

const chunkOf = ({ element, values }: StoredColumn) =>
  values
    .chain(maybeDictionary)
    .chain(values =>
      positionsFor(values).map(positions => new ColumnChunk(values, leafType(element), positions)),
    )

/** Makes a column of any type, or of the type that --create would choose for the file's. */
const typeFor = ({ element }: StoredColumn) =>
  fc.oneof(fc.constant(OWN_TYPES[leafType(element).sqlType.replace(/\(.*/, '')]!), fc.constantFrom(...TYPES))

const OWN_TYPES: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  ...Object.fromEntries(
    ['numeric', 'text', 'jsonb', 'bytea', 'uuid', 'interval', 'date', 'time', 'timestamp', 'timestamptz'].map(
      type => [type, type],
    ),
  ),
}

const columns = fc.array(
  fc.constantFrom(...STORED_COLUMNS).chain(column => fc.tuple(chunkOf(column), typeFor(column))),
  { minLength: 1, maxLength: 5 },
)

const rowsOf = ({ positions, values }: ColumnChunk): number => positions?.length ?? lengthOf(values)

function columnsOf(types: readonly string[]): Column[] {
  return types.map((type, index) => ({
    name: `c${index}`,
    type: { oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' },
  })) as unknown as Column[]
}

interface Encoded {
  /** The rows without a binary form, and why. */
  readonly refused: readonly string[]
  readonly bytes: string
  /** How many rows were encoded column by column. */
  readonly byColumns: number
}

const encoder = loadBlockEncoder()!
let byWasm = 0

/** Counts the rows that WebAssembly has encoded. */
const countingEncoder = Object.create(encoder, {
  maxColumns: { value: encoder.maxColumns },
  encode: {
    value: (...run: Parameters<typeof encoder.encode>) => {
      const encoded = encoder.encode(...run)
      byWasm += encoded
      return encoded
    },
  },
}) as typeof encoder

/** Encodes rows as a COPY does: many at a time where the encoder takes them, else one. */
function encodeAll(encoder: RowEncoder, rows: RowSet, limit: number): Encoded {
  const out = new ByteBuffer(new SlabPool(64).lease())
  const refused: string[] = []
  let bytes = ''
  let byColumns = 0
  for (let index = 0; index < rows.length; out.length = 0) {
    const next = encoder.rows?.(out, rows, index, 100, limit) ?? index
    byColumns += next - index
    if (next === index) {
      try {
        const needsText = encoder.row(out, rows.at(index), 100 + rows.itemAt(index))
        if (needsText !== undefined) refused.push(`${index} needs text: ${needsText}`)
      } catch (error) {
        refused.push(`${index} ${(error as Error).message}`)
      }
    }
    bytes += out.bytes.toString('hex', 0, out.length)
    index = Math.max(next, index + 1)
  }
  return { refused, bytes, byColumns }
}

describe('rows of blocks', () => {
  it('have the bytes that the same rows have as objects', () => {
    let rowCount = 0
    let byColumns = 0
    byWasm = 0
    fc.assert(
      fc.property(columns, fc.boolean(), fc.constantFrom(1, 40, 64 * 1024), (made, isStaged, limit) => {
        const types = columnsOf(made.map(([, type]) => type))
        const fitters = fittersOf({ columns: types } as unknown as Table, PARQUET_FILE)
        const fields = types.map(({ name }, source) => ({ name, source, fit: fitters.get(name)! }))
        const layout = new BlockLayout(fields)
        const length = Math.min(...made.map(([chunk]) => rowsOf(chunk)))
        const block: Block = {
          length,
          columns: made.map(([chunk]) => ({ chunk, start: rowsOf(chunk) - length })),
        }
        const rows = Array.from({ length }, (_, index) => new layout.Row(block, index, index + 1))
        const objects = rows.map(row =>
          Object.fromEntries(
            fields.map(({ name }) => [name, (row as unknown as Record<string, unknown>)[name]]),
          ),
        )
        const options = {
          columns: types,
          format: 'binary' as const,
          ...(isStaged ? { staging: { shape: 3 } } : {}),
        }
        const { byColumns: _, ...other } = encodeAll(makeRowEncoder(options), new RowSet(objects), limit)
        for (const wasm of [undefined, countingEncoder]) {
          const one = encodeAll(
            makeRowEncoder({ ...options, blocks: { layout, wasm } }),
            new RowSet(rows),
            limit,
          )
          expect(one).to.deep.include(other)
          expect(one.byColumns).to.equal(length - one.refused.length)
          byColumns += one.byColumns
          rowCount += length
          const table = encodeAll(
            makeRowEncoder({ ...options, blocks: { layout, wasm } }),
            new RowSet(BlockTable.of(layout, [block], 1)),
            limit,
          )
          expect(table).to.deep.equal(one)
        }
      }),
      { numRuns: Math.max(200, thorough(800)) },
    )
    expect(byColumns).to.be.above(rowCount / 10)
    expect(byWasm).to.be.above(rowCount / 40)
  })

  it('have instants for local times, where the session is in UTC', () => {
    const timestamps = STORED_COLUMNS.filter(({ element }) => leafType(element).sqlType === 'timestamp').map(
      chunkOf,
    )
    fc.assert(
      fc.property(fc.oneof(...timestamps), chunk => {
        const length = rowsOf(chunk)
        const encode = (type: Partial<PgType> & { name: string }) => {
          const layout = new BlockLayout([{ name: 'c0', source: 0, fit: value => value }])
          const block = { length, columns: [{ chunk, start: 0 }] }
          const rows = Array.from({ length }, (_, index) => new layout.Row(block, index, index + 1))
          const [column] = columnsOf([type.name])
          const columns = [{ ...column!, type: { ...column!.type, ...type } }]
          return encodeAll(
            makeRowEncoder({ columns, format: 'binary', blocks: { layout } }),
            new RowSet(rows),
            1e6,
          )
        }
        const local = encode({ name: 'timestamp' })
        const instants = encode({ name: 'timestamptz', inUtc: true })
        expect(instants.bytes).to.equal(local.bytes)
        expect(instants.byColumns).to.equal(local.byColumns)
        const nulls = chunk.positions?.filter(position => position < 0).length ?? 0
        expect(encode({ name: 'timestamptz' }).byColumns).to.equal(nulls)
      }),
    )
  })

  describe('in WebAssembly', () => {
    const MIB = 1 << 20
    const chunkOfTexts = (count: number, length: number): ColumnChunk => {
      const bytes = Buffer.alloc(count * length, 'text ')
      return new ColumnChunk(
        splitFixed(bytes, count, length, allocateNew),
        leafType({ name: 'v', converted_type: 'UTF8' }),
      )
    }
    const behindDictionary = ({ values }: ColumnChunk): ColumnChunk => {
      const length = lengthOf(values)
      const indexes = Int32Array.from({ length: 3000 }, (_, index) => (index * 7919) % length)
      return new ColumnChunk(
        { kind: 'dictionary', indexes, dictionary: new Dictionary(values) },
        leafType({ name: 'v', converted_type: 'UTF8' }),
      )
    }

    /** Whole numbers as decimals, one of which has too many digits for the module at each of some rows. */
    const chunkOfDecimals = (length: number, long: readonly number[] = []): ColumnChunk => {
      const values = BigInt64Array.from({ length }, (_, index) =>
        long.includes(index) ? 10n ** 16n : BigInt(length + index),
      )
      const element = { type: 'INT64', converted_type: 'DECIMAL', precision: 18, scale: 0 } as const
      return new ColumnChunk({ kind: 'int64', values }, leafType({ name: 'v', ...element }))
    }

    const cases: readonly [title: string, chunks: readonly ColumnChunk[], byWasm: number][] = [
      [
        'dictionaries of several megabytes',
        [3, 2].map(mib => behindDictionary(chunkOfTexts((mib * MIB) / 256, 256))),
        3000,
      ],
      [
        'no dictionaries that are too large together',
        [40, 20].map(mib => behindDictionary(chunkOfTexts(mib * 1024, 1024))),
        0,
      ],
      ['rows that are together larger than its memory', [chunkOfTexts(40, 150_000)], 40],
      ['no row that is larger than its memory', [chunkOfTexts(3, 600_000)], 0],
      [
        'decimals up to a row with one that is too long, in any of their columns',
        [[50, 700], [900], [], [300, 1990]].map(long => chunkOfDecimals(2000, long)),
        966, // with a row that is too long JavaScript takes those after it, too
      ],
    ]
    for (const [title, chunks, expected] of cases) {
      it(`takes ${title}`, () => {
        const length = Math.min(...chunks.map(rowsOf))
        const types = columnsOf(
          chunks.map(({ meaning }) => (typeof meaning === 'object' ? 'numeric' : 'text')),
        )
        const layout = new BlockLayout(
          types.map(({ name }, source) => ({ name, source, fit: value => value })),
        )
        const block = { length, columns: chunks.map(chunk => ({ chunk, start: 0 })) }
        const rows = () =>
          new RowSet(Array.from({ length }, (_, index) => new layout.Row(block, index, index + 1)))
        const encode = (wasm?: BlockEncoder) =>
          encodeAll(
            makeRowEncoder({ columns: types, format: 'binary', blocks: { layout, wasm } }),
            rows(),
            64 * 1024,
          )
        byWasm = 0
        const encoded = encode(countingEncoder)
        expect(encoded.bytes === encode().bytes).to.equal(true)
        expect(byWasm).to.equal(expected)
        expect(encoded.refused).to.deep.equal([])
      })
    }
  })

  it('have their values in a dictionary, whatever the place of their indexes in the memory of the module', () => {
    expectValues(Int32Array, 200_000)
    expectValues(Uint16Array, 65_536)
    expectValues(Uint8Array, 256)
  })

  function expectValues(indexType: (typeof INDEX_TYPES)[number], length: number): void {
    const values = Int32Array.from({ length }, (_, index) => -index)
    const indexes = new indexType(length).map((_, index) => (index * 7919) % length)
    const columns = [
      {
        values: { kind: 'dictionary', indexes, dictionary: new Dictionary({ kind: 'int32', values }) },
        positions: Int32Array.from({ length }, (_, index) => index),
        count: 2,
        kind: { kind: STORED_KIND.int32AsInt4, detail: 0 },
      },
    ] as const
    const out = new ByteBuffer(new SlabPool().lease())
    for (let start = length >> 1; start < length - 2; start++) {
      out.length = 0
      const run = { columns: columns.map(column => ({ ...column, start })), staging: undefined }
      const encoded = encoder.encode(run, out, 100)
      const found = [out.view.getInt32(6), out.view.getInt32(16)]
      const expected = [start, start + 1].map(row => values[indexes[row]!]!)
      if (encoded !== 2 || found.some((value, row) => value !== expected[row]))
        expect({ start, encoded, found }).to.deep.equal({ start, encoded: 2, found: expected })
    }
  }

  it('are encoded up to the limit, and from there again', () => {
    const chunk = new ColumnChunk(
      { kind: 'int32', values: Int32Array.from({ length: 5000 }, (_, i) => i) },
      leafType({ name: 'v', type: 'INT32' }),
    )
    const layout = new BlockLayout([{ name: 'c0', source: 0, fit: value => value }])
    const block = { length: 5000, columns: [{ chunk, start: 0 }] }
    const rows = new RowSet(
      Array.from({ length: 5000 }, (_, index): BlockRow => new layout.Row(block, index, index + 1)),
    )
    const encoder = makeRowEncoder({ columns: columnsOf(['int4']), format: 'binary', blocks: { layout } })
    const out = new ByteBuffer(new SlabPool().lease())
    const tupleBytes = 10
    let index = 0
    while (index < rows.length) {
      out.length = 0
      const from = index
      while (index < rows.length && out.length < 1000) index = encoder.rows!(out, rows, index, 0, 1000)
      expect(out.length).to.equal((index - from) * tupleBytes)
      expect(out.length).to.be.below(1000 + tupleBytes)
      expect(out.view.getInt32(6)).to.equal(from)
    }
  })
})
