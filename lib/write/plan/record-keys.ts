import type { JsonColumns } from '../../encode/row-encoder.ts'
import { type BlockLines, countHaving, type JsonBlock } from '../../json/record.ts'

/** What the keys of a file say about its lines, for one plan. */
interface Keys extends Pick<JsonBlock, 'keys' | 'width'> {
  /** The keys whose column is not one of the plan's. */
  readonly unknown: readonly number[]
  /** The key of each column that has a default; -1: no line has it. */
  readonly defaulted: readonly number[]
}

/** Reads from lines of NDJSON, without parsing them, which columns they have. */
export class RecordKeys {
  readonly #columnOf: JsonColumns['columnOf']
  readonly #names: readonly string[]
  readonly #defaulted: readonly number[]
  /** The columns of the last line: nearly all lines of a file have the same. */
  #last: Keys | undefined

  /**
   * @param names the columns of the plan
   * @param defaulted indexes of the columns where a missing value is not NULL
   */
  constructor({ columnOf }: JsonColumns, names: readonly string[], defaulted: readonly number[]) {
    this.#columnOf = columnOf
    this.#names = names
    this.#defaulted = defaulted
  }

  /** Returns true if all values of some lines go to columns of the plan, or are not written. */
  fits(lines: BlockLines): boolean {
    return this.#keysOf(lines).unknown.every(key => countHaving(lines, key) === 0)
  }

  /**
   * Returns the columns that all of some lines lack and whose missing value is not NULL, as `'2,5,'`.
   * Undefined if only some of the lines lack one of them.
   */
  missingIn(lines: BlockLines): string | undefined {
    const { defaulted } = this.#keysOf(lines)
    let missing = ''
    for (let i = 0; i < defaulted.length; i++) {
      const having = countHaving(lines, defaulted[i]!)
      if (having === 0) missing += `${this.#defaulted[i]},`
      else if (having < lines.to - lines.from) return undefined
    }
    return missing
  }

  #keysOf({ block: { keys, width } }: BlockLines): Keys {
    const last = this.#last
    if (last?.keys === keys && last.width === width) return last
    const columns = keys.slice(0, width).map(this.#columnOf)
    const isUnknown = (column: string | undefined) => column !== undefined && !this.#names.includes(column)
    this.#last = {
      keys,
      width,
      unknown: columns.flatMap((column, key) => (isUnknown(column) ? [key] : [])),
      defaulted: this.#defaulted.map(index => columns.indexOf(this.#names[index])),
    }
    return this.#last
  }
}
