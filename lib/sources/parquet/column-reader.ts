import { assembleNested } from 'hyparquet/src/assemble.js'
import type { ParquetColumn } from './columns.ts'
import type { LeafType } from './leaf-type.ts'
import type { PageReader } from './page-reader.ts'

/** Reads a column of one row group, some values at a time. */
export interface ColumnReader {
  /** The number of values that can be taken now. */
  readonly available: number
  /** Makes values available, unless the column has ended. Called when there are none. */
  fill(): Promise<void>
  take(): unknown
}

export function columnReader(
  column: ParquetColumn,
  pages: readonly PageReader[],
  hasDictionary: boolean,
): ColumnReader {
  const { type } = column.leaves[0]!
  if (!column.flat) return new NestedReader(column, pages)
  return new FlatReader(pages[0]!, hasDictionary && type.costly ? remembered(type) : type.convert)
}

type Convert = (value: never) => unknown

/** Reads a column of one leaf, whose values are the column's. */
class FlatReader implements ColumnReader {
  readonly #pages: PageReader
  readonly #convert: Convert
  #values: ArrayLike<unknown> = []
  #at = 0

  constructor(pages: PageReader, convert: Convert) {
    this.#pages = pages
    this.#convert = convert
  }

  get available(): number {
    return this.#values.length - this.#at
  }

  async fill(): Promise<void> {
    this.#values = (await this.#pages.next()) ?? []
    this.#at = 0
  }

  take(): unknown {
    const value = this.#values[this.#at++]
    if (value === null) return null
    // a page refers to a value that the dictionary does not have
    if (value === undefined) throw new Error('A value is missing')
    return this.#convert(value as never)
  }
}

/** Reads lists, maps and structs, and assembles them from their leaves. */
class NestedReader implements ColumnReader {
  readonly #column: ParquetColumn
  readonly #pages: readonly PageReader[]
  readonly #queues: unknown[][]
  #values: ArrayLike<unknown> = []
  #at = 0

  constructor(column: ParquetColumn, pages: readonly PageReader[]) {
    this.#column = column
    this.#pages = pages
    this.#queues = pages.map(() => [])
  }

  get available(): number {
    return this.#values.length - this.#at
  }

  async fill(): Promise<void> {
    for (const [index, queue] of this.#queues.entries()) {
      if (queue.length > 0) continue
      const { type } = this.#column.leaves[index]!
      const convert = type.nested ?? type.convert
      for (const row of Array.from((await this.#pages[index]!.next()) ?? [])) {
        queue.push(convertWithin(row, convert))
      }
    }
    const count = Math.min(...this.#queues.map(queue => queue.length))
    this.#values = count > 0 ? this.#assemble(count) : []
    this.#at = 0
    if (count === 0 && this.#queues.some(queue => queue.length > 0)) throw new Error('A leaf has fewer rows')
  }

  take(): unknown {
    return this.#values[this.#at++]
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

/**
 * Converts each value of a dictionary only once, since a dictionary returns the same values again and again.
 */
function remembered({ convert }: LeafType): Convert {
  const known = new Map<unknown, unknown>()
  return value => {
    const before = known.get(value)
    if (before !== undefined) return before
    const converted = convert(value)
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(value, converted)
    return converted
  }
}

const MAX_REMEMBERED = 1 << 16
