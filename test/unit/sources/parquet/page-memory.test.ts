import { expect } from 'chai'
import fc from 'fast-check'
import { type Block, valueAt } from '../../../../lib/columnar/block.ts'
import { BlockLayout, type BlockRow } from '../../../../lib/columnar/block-row.ts'
import { BlockTable } from '../../../../lib/columnar/block-table.ts'
import { openParquet } from '../../../../lib/sources/parquet/open-parquet.ts'
import { useFolder } from '../../../support/folder.ts'
import { type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { thorough } from '../../../support/thorough.ts'

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

const fileOf = (rows: number, options: Parameters<typeof parquetOf>[1]) =>
  parquetOf(
    COLUMNS.map(({ make, ...column }) => ({
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
        { numRuns: thorough(160) },
      )
    })
  }

  it('takes no more memory than the tables that are not released', async () => {
    const path = await write('f.parquet', fileOf(20_000, { codec: 'ZSTD', pageSize: 4000 }))
    const memory = COLUMNS.map(() => new Set<ArrayBufferLike>())
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
    expect(pages).to.be.above(20 * COLUMNS.length)
    // up to 16 batches are read ahead
    for (const used of memory) expect(used.size).to.be.within(1, 45)
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
