import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import { type Block, valueAt } from '../../../../lib/columnar/block.ts'
import { BlockLayout, type BlockRow } from '../../../../lib/columnar/block-row.ts'
import { BlockTable } from '../../../../lib/columnar/block-table.ts'
import { LeafReader } from '../../../../lib/sources/parquet/nested/leaf-reader.ts'
import { openParquet } from '../../../../lib/sources/parquet/open-parquet.ts'
import type { PageReader } from '../../../../lib/sources/parquet/page-reader.ts'
import { ChunkMemory } from '../../../../lib/values/chunk-memory.ts'
import { useFolder } from '../../../support/folder.ts'
import { type Element, type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { thorough } from '../../../support/thorough.ts'

const listOf = (element: Element): readonly Element[] => [
  { converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', ...element },
]

/** Each kind of value that is read into memory of its own, or stays where its page was unpacked. */
const COLUMNS: readonly (Omit<MadeColumn, 'data'> & { readonly make: (row: number) => unknown })[] = [
  { name: 'int', schema: [{ type: 'INT32' }], encoding: 'PLAIN', make: row => row },
  {
    name: 'gaps',
    schema: [{ type: 'INT64' }],
    encoding: 'PLAIN',
    make: row => (row % 3 === 0 ? null : BigInt(row)),
  },
  { name: 'double', schema: [{ type: 'DOUBLE' }], encoding: 'PLAIN', make: row => row / 4 },
  { name: 'flag', schema: [{ type: 'BOOLEAN' }], encoding: 'PLAIN', make: row => row % 5 === 0 },
  {
    name: 'text',
    schema: [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }],
    encoding: 'PLAIN',
    make: row => (row % 7 === 0 ? null : `text ${'long '.repeat(row % 4)}${row}`),
  },
  {
    name: 'word',
    schema: [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }],
    encoding: 'RLE_DICTIONARY',
    make: row => `word ${row % 6}`,
  },
  {
    name: 'fixed',
    schema: [{ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 4 }],
    encoding: 'PLAIN',
    make: row => Buffer.from([row & 0xff, row >> 8, 7, 8]),
  },
  {
    name: 'numbers',
    schema: listOf({ type: 'DOUBLE' }),
    encoding: 'PLAIN',
    make: row => (row % 11 === 0 ? null : Array.from({ length: row % 5 }, (_, i) => row + i / 4)),
  },
  {
    name: 'words',
    schema: listOf({ type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
    encoding: 'RLE_DICTIONARY',
    // lists that are longer than a page, too
    make: row => Array.from({ length: row % 50 === 49 ? 300 : row % 4 }, (_, i) => `word ${(row + i) % 9}`),
  },
  {
    name: 'struct',
    schema: [
      { num_children: 2 },
      { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { name: 'whole', type: 'INT32' },
    ],
    encoding: 'PLAIN',
    make: row => ({ text: row % 7 === 0 ? null : `text ${row}`, whole: row }),
  },
]
const NAMES = COLUMNS.map(({ name }) => name)
const layout = new BlockLayout(NAMES.map((name, source) => ({ name, source, fit: value => value })))

const rowOf = (row: number) => COLUMNS.map(({ make }) => shown(make(row)))

/** Reads the values of rows that do not become objects. */
const valuesOf = (table: BlockTable) =>
  Array.from({ length: table.length }, (_, index) => {
    const { block, shift } = table.runOf(index)
    return NAMES.map((_, column) => shown(valueAt(block, column, index + shift)))
  })

/** Bytes are a view of the page's memory, and an INT64 is read as a number if it is one exactly. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value)
  return typeof value === 'bigint' ? Number(value) : value
}

const fileOf = (rows: number, options: Parameters<typeof parquetOf>[1], columns = COLUMNS) =>
  parquetOf(
    columns.map(({ make, ...column }) => ({
      ...column,
      data: Array.from({ length: rows }, (_, row) => make(row)),
    })),
    options,
  )

describe('a Parquet file whose pages are unpacked into the same memory again', () => {
  const write = useFolder()

  for (const codec of ['UNCOMPRESSED', 'ZSTD', 'GZIP'] as const) {
    it(`gives the same rows, however late their tables are released, ${codec}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            rows: fc.integer({ min: 1, max: 600 }),
            pageSize: fc.integer({ min: 20, max: 2000 }),
            rowGroupSize: fc.integer({ min: 30, max: 600 }),
            batchRows: fc.integer({ min: 1, max: 100 }),
          }),
          fc.infiniteStream(fc.nat(9)),
          async ({ rows, batchRows, ...options }, dice) => {
            const path = await write('f.parquet', fileOf(rows, { codec, ...options }))
            const found: unknown[] = []
            const kept: [row: BlockRow, values: unknown[]][] = []
            const waiting: BlockTable[] = []
            const settle = (table: BlockTable): void => {
              const values = valuesOf(table)
              found.push(...values)
              if (dice.next().value === 0) {
                for (const [index, row] of table.all().entries()) kept.push([row, values[index]!])
              }
              table.release()
            }
            let first = 1
            for await (const blocks of (await openParquet(path, batchRows)).blocks!) {
              const table = BlockTable.of(layout, blocks as Block[], first)
              first += table.length
              const middle = Math.floor(table.length / 2)
              if (middle === 0) waiting.push(table)
              else {
                waiting.push(table.slice(0, middle), table.slice(middle))
                table.release()
              }
              while (waiting.length > dice.next().value!) settle(waiting.shift()!)
            }
            for (const table of waiting) settle(table)
            expect(found).to.deep.equal(Array.from({ length: rows }, (_, row) => rowOf(row)))
            for (const [row, values] of kept) {
              expect(
                NAMES.map(name => shown((row as unknown as Record<string, unknown>)[name])),
              ).to.deep.equal(values)
            }
          },
        ),
        { numRuns: thorough(96) },
      )
    })
  }

  it('takes no more memory than the tables that are not released', async () => {
    const flat = COLUMNS.filter(({ schema }) => schema.length === 1)
    const path = await write('f.parquet', fileOf(20_000, { codec: 'ZSTD', pageSize: 4000 }, flat))
    const memory = flat.map(() => new Set<ArrayBufferLike>())
    let pages = 0
    for await (const blocks of (await openParquet(path, 100)).blocks!) {
      for (const { columns } of blocks as Block[]) {
        for (const [column, { chunk, start }] of columns.entries()) {
          const { values, positions } = chunk
          if (start === 0) pages++
          if (positions) memory[column]!.add(positions.buffer)
          if (values.kind === 'bytes') memory[column]!.add(values.starts.buffer)
          else if ('indexes' in values) memory[column]!.add(values.indexes.buffer)
          else if ('values' in values) memory[column]!.add((values.values as Int32Array).buffer)
        }
      }
      BlockTable.of(layout, blocks as Block[], 1).release()
    }
    expect(pages).to.be.above(20 * flat.length)
    // up to 16 batches are read ahead
    for (const used of memory) expect(used.size).to.be.within(1, 45)
  })

  it('takes no more memory for lists and structs than for their current pages', async () => {
    const nested = COLUMNS.filter(({ schema }) => schema.length > 1)
    const path = await write('f.parquet', fileOf(20_000, { codec: 'ZSTD', pageSize: 4000 }, nested))
    const takes = sinon.spy(ChunkMemory.prototype, 'take')
    try {
      for await (const _ of (await openParquet(path, 100)).blocks!);
      const memory = new Set(takes.returnValues.map(({ buffer }) => buffer))
      expect(takes.callCount).to.be.above(20 * memory.size)
      expect(memory.size).to.be.above(nested.length)
    } finally {
      takes.restore()
    }
  })

  /** Reads a column of texts, and releases each table before the next one is read. */
  async function textsOf(content: Buffer): Promise<string[]> {
    const path = await write('f.parquet', content)
    const texts: string[] = []
    for await (const blocks of (await openParquet(path, 100)).blocks!) {
      for (const block of blocks as Block[]) {
        for (let row = 0; row < block.length; row++) texts.push(valueAt(block, 0, row) as string)
      }
      BlockTable.of(layout, blocks as Block[], 1).release()
    }
    return texts
  }

  for (const encoding of ['PLAIN', 'RLE_DICTIONARY']) {
    it(`gives the texts of a column that is read in parts, ${encoding}`, async () => {
      // some words are first needed when other parts of the file are in memory
      const data = Array.from(
        { length: 300_000 },
        (_, row) => `text ${row % 2 === 0 ? Math.floor(row / 30) : 0}`,
      )
      const schema = [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const]
      const file = parquetOf([{ name: 'v', schema, data, encoding }], {
        codec: 'UNCOMPRESSED',
        pageSize: 10_000,
      })
      expect(file.length).to.be.above(500_000)
      expect(await textsOf(file)).to.deep.equal(data)
    })
  }

  it('gives lists of columns that are read in parts', async () => {
    const columns = [0, 1].map(column => ({
      name: `v${column}`,
      schema: listOf({ type: 'DOUBLE' }),
      data: Array.from({ length: 30_000 }, (_, row) => [row, column, row / 2, row / 4, row / 8]),
      encoding: 'PLAIN',
    }))
    const file = parquetOf(columns, { codec: 'UNCOMPRESSED', pageSize: 100_000 })
    expect(file.length).to.be.above(2_000_000)
    const path = await write('f.parquet', file)
    let row = 0
    for await (const blocks of (await openParquet(path, 100)).blocks!) {
      for (const block of blocks as Block[]) {
        for (let index = 0; index < block.length; index++, row++) {
          const found = columns.map((_, column) => valueAt(block, column, index))
          expect(found).to.deep.equal(columns.map(({ data }) => data[row]))
        }
      }
    }
    expect(row).to.equal(30_000)
  })

  it('gives a list that continues on other pages', async () => {
    const memory = new ChunkMemory()
    const page = (repetitions: readonly number[], values: readonly number[]) => {
      const levels = Buffer.from(repetitions.flatMap(level => [2, level])) // runs of one
      const bytes = memory.allocate(levels.length + 4 * values.length)
      bytes.set(levels)
      for (const [index, value] of values.entries()) bytes.writeInt32LE(value, levels.length + 4 * index)
      const v2 = {
        num_values: values.length,
        encoding: 'PLAIN',
        repetition_levels_byte_length: levels.length,
        definition_levels_byte_length: 0,
      }
      return { header: { type: 'DATA_PAGE_V2', data_page_header_v2: v2 }, bytes }
    }
    const waiting = [
      () => page([0, 1], [1, 2]),
      () => page([1, 1], [3, 4]),
      () => page([1, 0], [5, 6]),
      () => page([1, 1], [7, 8]),
      () => page([0, 1], [9, 10]),
      () => page([1], [11]),
    ]
    const leaf = { maxRepetition: 1, maxDefinition: 0, type: { convert: (value: unknown) => value } }
    const pages = {
      ...{ leaf, decoder: { type: 'INT32', element: {} } },
      next: () => Promise.resolve(waiting.shift()?.()),
    }
    const reader = new LeafReader(pages as unknown as PageReader, memory.allocate, undefined)
    const rows: unknown[][] = []
    for (let read = await reader.next(); read; read = await reader.next()) {
      for (const [row, start] of [...read.starts].slice(0, -1).entries()) {
        const entries = Array.from({ length: read.starts[row + 1]! - start }, (_, at) => start + at)
        rows.push(entries.map(read.valueAt))
      }
    }
    expect(rows).to.deep.equal([
      [1, 2, 3, 4, 5],
      [6, 7, 8],
      [9, 10, 11],
    ])
  })

  it('gives texts of which a page has more than a batch', async () => {
    const data = Array.from({ length: 40 }, (_, row) => String.fromCharCode(97 + (row % 26)).repeat(300_000))
    const schema = [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const]
    const column = { name: 'v', schema, data, encoding: 'PLAIN' }
    const file = parquetOf([column], { codec: 'ZSTD', pageSize: 6_000_000 })
    const texts = await textsOf(file)
    expect(texts.findIndex((text, row) => text !== data[row])).to.equal(-1)
    expect(texts).to.have.length(40)
  })

  it('gives rows as objects that stay as they are', async () => {
    const path = await write('f.parquet', fileOf(2000, { codec: 'ZSTD', pageSize: 300 }))
    const rows = await (await openParquet(path)).rows.toArray()
    expect(rows.map(row => Object.values(row as object).map(shown))).to.deep.equal(
      Array.from({ length: 2000 }, (_, row) => rowOf(row)),
    )
  })
})
