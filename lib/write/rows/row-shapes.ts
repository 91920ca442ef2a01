/** The columns that are written for a row: all except those that the row lacks and that have a DEFAULT. */
export interface RowShape {
  readonly number: number
  /** Indexes into the plan's columns. */
  readonly columns: readonly number[]
  /** Its rows are deleted, and its columns are those of their key. */
  readonly deletes?: boolean
  /** Its rows may lack any columns that have a DEFAULT: they go by text COPY, which marks what is missing. */
  readonly mixed?: boolean
}

/** The number of the shape of deletes; the others count from 0. */
const DELETES = -1

/** The number of the mixed shape. */
const MIXED = -2

/** Random subsets of 24 columns make millions of shapes, so that only the latest are kept. */
const MAX_REMEMBERED = 1000

/**
 * The shapes of recent rows. A shape is the same object every time, unless too many others came in between.
 */
export class RowShapes {
  /** The shape of rows that are deleted. */
  readonly deletes: RowShape
  /** The shape of rows that lack this and that. */
  readonly mixed: RowShape
  /** Mixed shapes of rows that were encoded before the table had all of its columns. */
  readonly #mixedBefore = new Map<string, RowShape>()
  readonly #columns: readonly string[]
  readonly #byMissing = new Map<string, RowShape>()
  /** No number is used twice, not even after shapes were dropped: a staging table identifies shapes by it. */
  #next = 0

  constructor(columns: readonly string[], keys: readonly string[]) {
    this.#columns = columns
    this.mixed = { number: MIXED, columns: columns.map((_, index) => index), mixed: true }
    this.deletes = { number: DELETES, columns: keys.map(key => columns.indexOf(key)), deletes: true }
  }

  /** Returns the shape that lacks the columns of these indexes, written as `'2,5,'`. */
  without(missing: string): RowShape {
    let shape = this.#byMissing.get(missing)
    if (!shape) {
      const absent = missing.split(',')
      const columns: number[] = []
      // the indexes are in ascending order
      for (let index = 0, at = 0; index < this.#columns.length; index++) {
        if (absent[at] === String(index)) at++
        else columns.push(index)
      }
      shape = { number: this.#next++, columns }
      if (this.#byMissing.size >= MAX_REMEMBERED) this.#byMissing.clear()
      this.#byMissing.set(missing, shape)
    }
    return shape
  }

  /**
   * Returns the mixed shape in which no row has the columns of these indexes, written as `'2,5,'`: the table
   * did not have them when the rows were encoded.
   */
  mixedWithout(missing: string): RowShape {
    if (missing === '') return this.mixed
    let shape = this.#mixedBefore.get(missing)
    if (!shape) {
      shape = { number: this.#next++, columns: this.without(missing).columns, mixed: true }
      this.#mixedBefore.set(missing, shape)
    }
    return shape
  }

  /** How many shapes are held. */
  get remembered(): number {
    return this.#byMissing.size
  }

  /** The shape of rows that lack nothing. */
  get whole(): RowShape {
    return this.without('')
  }
}
