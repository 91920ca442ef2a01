import { type BlockLines, countHaving, type JsonBlock } from '../../json/record.ts'
import type { KeyMatches } from '../columns/match-keys.ts'

export interface KeyOptions {
  /** The columns that may be written. */
  readonly columns: readonly string[]
  /** True: other keys are skipped. False: they are errors. */
  readonly ignoresOthers: boolean
  /** A line with all of these keys holds a row, as a line of --rejects does. */
  readonly wrapperKeys: readonly string[]
}

/** Says which lines of NDJSON can be written without a look at their rows, and to which columns. */
export class KeyColumns {
  readonly #matches: KeyMatches
  readonly #options: KeyOptions
  readonly #writable: ReadonlySet<string>
  readonly #columns = new Map<string, string | undefined>()
  /** The keys of the last line, and those among them that need a look. */
  #last: (Pick<JsonBlock, 'keys' | 'width'> & { readonly odd: readonly number[] }) | undefined

  constructor(matches: KeyMatches, options: KeyOptions) {
    this.#matches = matches
    this.#options = options
    this.#writable = new Set(options.columns)
  }

  /** Returns the column of a key, or undefined. */
  readonly columnOf = (key: string): string | undefined => {
    if (!this.#columns.has(key)) this.#columns.set(key, this.#find(key))
    return this.#columns.get(key)
  }

  /** Returns true for lines whose keys are columns or are not written. */
  readonly arePlain = (lines: BlockLines): boolean =>
    this.#oddKeys(lines.block).every(key => countHaving(lines, key) === 0)

  #oddKeys({ keys, width }: JsonBlock): readonly number[] {
    if (this.#last?.keys === keys && this.#last.width === width) return this.#last.odd
    const odd: number[] = []
    const taken = new Set<string>()
    const { ignoresOthers, wrapperKeys } = this.#options
    const isWrapped = wrapperKeys.length > 0 && wrapperKeys.every(key => keys.includes(key))
    for (let index = 0; index < width; index++) {
      const column = this.columnOf(keys[index]!)
      // two keys of one column are an error if one line has both
      const isOdd = column === undefined ? !ignoresOthers : taken.has(column)
      if (isOdd || (isWrapped && keys[index] === wrapperKeys[0])) odd.push(index)
      if (column !== undefined) taken.add(column)
    }
    this.#last = { keys, width, odd }
    return odd
  }

  #find(key: string): string | undefined {
    let column: string
    try {
      column = this.#matches.columnOf(key)
    } catch {
      return undefined // the first row with the key has the error
    }
    return this.#writable.has(column) ? column : undefined
  }
}
