import { type SourceRow, setOwn } from '../../sources/rows.ts'
import { dataError } from '../exit-error.ts'
import { ambiguous, plainName } from './match-columns.ts'

/**
 * Matches the keys of JSON rows with columns, as names of a header are matched: by `map`, else by the same
 * name, else by the only name that differs in case, spaces and punctuation alone: `userId` is `user_id`. Each
 * key is looked up once.
 */
export class KeyMatches {
  readonly #where: string
  readonly #columns: Map<string, string>
  /** The keys that have no column of the same name. */
  readonly #guessed = new Set<string>()
  readonly #byPlainName = new Map<string, string[]>()
  /** The keys so far whose column has another name. */
  readonly pairs: [key: string, column: string][]
  /** Called for each key whose column is guessed. */
  onGuess: (note: string) => void = () => {}

  constructor(columns: readonly string[], map: ReadonlyMap<string, string>, where: string) {
    this.#where = where
    this.#columns = new Map([...columns.map(name => [name, name] as const), ...map])
    this.pairs = [...map]
    const mapped = new Set(map.values())
    for (const column of columns) {
      if (mapped.has(column)) continue
      const name = plainName(column)
      this.#byPlainName.set(name, [...(this.#byPlainName.get(name) ?? []), column])
    }
  }

  /** Returns a row with columns as keys. A key without a column stays. */
  readonly rename = (row: SourceRow): SourceRow => {
    for (const key in row) if (this.columnOf(key) !== key) return this.#renamed(row)
    return row
  }

  #renamed(row: SourceRow): SourceRow {
    const out: SourceRow = {}
    for (const key in row) {
      const found = this.columnOf(key)
      const column = this.#guessed.has(key) && Object.hasOwn(row, found) ? key : found
      if (Object.hasOwn(out, column))
        throw dataError(`${this.#where}: a row has two keys for the column "${column}"`)
      setOwn(out, column, row[key])
    }
    return out
  }

  /** Returns the column of a key, or the key if it has none. @throws ExitError if it may have several */
  columnOf(key: string): string {
    return this.#columns.get(key) ?? this.#guess(key)
  }

  #guess(key: string): string {
    const found = this.#byPlainName.get(plainName(key)) ?? []
    if (found.length > 1) throw ambiguous(this.#where, `"${key}" could be the column`, found)
    const column = found[0] ?? key
    this.#columns.set(key, column)
    if (column === key) return key
    this.#guessed.add(key)
    this.pairs.push([key, column])
    this.onGuess(`${this.#where}: took "${key}" for column "${column}"`)
    return column
  }
}
