/** The columns that are written for a row: all but those that are missing in it and have a DEFAULT. */
export interface RowShape {
  readonly number: number
  /** Indexes into the plan's columns. */
  readonly columns: readonly number[]
  /** Its rows are to be deleted, and its columns are those of their key. */
  readonly deletes?: boolean
}

/** The number of the shape of deletes; others count from 0. */
const DELETES = -1

/** The shapes that rows have come in so far; each is the same object every time. */
export class RowShapes {
  /** The shape of rows that are to be deleted. */
  readonly deletes: RowShape
  readonly #columns: readonly string[]
  readonly #byMissing = new Map<string, RowShape>()

  constructor(columns: readonly string[], keys: readonly string[]) {
    this.#columns = columns
    this.deletes = { number: DELETES, columns: keys.map(key => columns.indexOf(key)), deletes: true }
  }

  /** The shape that lacks the columns of these indexes, written as `'2,5,'`. */
  without(missing: string): RowShape {
    let shape = this.#byMissing.get(missing)
    if (!shape) {
      const absent = new Set(missing.split(',').filter(Boolean).map(Number))
      const columns = [...this.#columns.keys()].filter(index => !absent.has(index))
      shape = { number: this.#byMissing.size, columns }
      this.#byMissing.set(missing, shape)
    }
    return shape
  }

  /** Of rows that lack nothing. */
  get whole(): RowShape {
    return this.without('')
  }
}
