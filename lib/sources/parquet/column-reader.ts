import { assembleNested } from 'hyparquet/src/assemble.js'
import { type BlockColumn, ColumnChunk } from '../../columnar/block.ts'
import { type Convert, type Dictionary, lengthOf } from '../../columnar/stored-values.ts'
import type { ParquetColumn } from './columns.ts'
import { NestedPages } from './nested-pages.ts'
import type { PageReader } from './page-reader.ts'
import { decodeDataPage, decodeDictionary } from './pages/decode-page.ts'

/** Reads a column of one row group, some rows at a time. */
export abstract class ColumnReader {
  #chunk: ColumnChunk | undefined
  #rows = 0
  #at = 0

  /** The number of rows that can be taken now. */
  get available(): number {
    return this.#rows - this.#at
  }

  /** Makes rows available, unless the column has ended. Called when there are none. */
  async fill(): Promise<void> {
    this.#chunk = await this.read()
    this.#rows = this.#chunk ? rowsOf(this.#chunk) : 0
    this.#at = 0
  }

  take(count: number): BlockColumn {
    const start = this.#at
    this.#at += count
    return { chunk: this.#chunk!, start }
  }

  /** Returns the next rows; undefined after the last ones. */
  protected abstract read(): Promise<ColumnChunk | undefined>
}

function rowsOf({ positions, values }: ColumnChunk): number {
  return positions?.length ?? lengthOf(values)
}

export function columnReader(column: ParquetColumn, pages: readonly PageReader[]): ColumnReader {
  return column.flat ? new FlatReader(pages[0]!) : new NestedReader(column, pages)
}

/** Reads a column of one leaf, whose values are the column's. A chunk is a page. */
class FlatReader extends ColumnReader {
  readonly #pages: PageReader
  #dictionary: Dictionary | undefined

  constructor(pages: PageReader) {
    super()
    this.#pages = pages
  }

  protected override async read(): Promise<ColumnChunk | undefined> {
    const { decoder, leaf } = this.#pages
    for (let page = await this.#pages.next(); page; page = await this.#pages.next()) {
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = decodeDictionary(page, decoder, leaf)
        continue
      }
      const chunk = decodeDataPage(page, decoder, leaf, this.#dictionary)
      if (rowsOf(chunk) > 0) return chunk
    }
    return undefined
  }
}

/** Reads lists, maps and structs, and assembles them from their leaves. */
class NestedReader extends ColumnReader {
  readonly #column: ParquetColumn
  readonly #pages: readonly NestedPages[]
  readonly #queues: unknown[][]

  constructor(column: ParquetColumn, pages: readonly PageReader[]) {
    super()
    this.#column = column
    this.#pages = pages.map(page => new NestedPages(page))
    this.#queues = pages.map(() => [])
  }

  protected override async read(): Promise<ColumnChunk | undefined> {
    for (const [index, queue] of this.#queues.entries()) {
      if (queue.length > 0) continue
      const { type } = this.#column.leaves[index]!
      const convert = type.nested ?? type.convert
      for (const row of Array.from((await this.#pages[index]!.next()) ?? [])) {
        queue.push(convertWithin(row, convert))
      }
    }
    const count = Math.min(...this.#queues.map(queue => queue.length))
    if (count > 0) return new ColumnChunk({ kind: 'any', values: this.#assemble(count) }, AS_THEY_ARE)
    if (this.#queues.some(queue => queue.length > 0)) throw new Error('A leaf has fewer rows')
    return undefined
  }

  #assemble(count: number): unknown[] {
    const { tree, leaves } = this.#column
    const parts = new Map(
      leaves.map(({ path }, index) => [
        path.at(-1)!.path.join('.'),
        this.#queues[index]!.splice(0, count) as unknown[],
      ]),
    )
    // a repeated leaf alone is a list that is never NULL
    if (tree.children.length === 0) return [...parts.values()][0]!.map(list => list ?? [])
    assembleNested(parts, tree, NO_PARSERS)
    const rows = parts.get(tree.path.join('.'))
    if (rows?.length !== count) throw new Error('The leaves of a row do not fit together')
    return rows.map(withoutUndefined)
  }
}

/** Values that were converted inside their lists and structs. */
const AS_THEY_ARE = { convert: (value: unknown) => value, meaning: 'other' } as const

/** hyparquet needs parsers only for the type VARIANT, which is rejected earlier. */
const NO_PARSERS = {} as Parameters<typeof assembleNested>[2]

function convertWithin(value: unknown, convert: Convert): unknown {
  if (value === null || value === undefined) return null
  return Array.isArray(value) ? value.map(item => convertWithin(item, convert)) : convert(value as never)
}

/** Replaces undefined, which hyparquet returns for NULL structs and lists, and JSON leaves out. */
function withoutUndefined(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutUndefined(each)]))
}
