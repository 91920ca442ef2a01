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

/** Random subsets of 24 columns make millions of shapes: what is remembered of them is bounded. */
const MAX_REMEMBERED = 1000

/** The shapes that rows have come in lately; each is the same object every time, unless too many others came between. */
export class RowShapes {
  /** The shape of rows that are to be deleted. */
  readonly deletes: RowShape
  readonly #columns: readonly string[]
  readonly #byMissing = new Map<string, RowShape>()
  /** Shapes get numbers of their own, also after they were forgotten: rows of a staging table are told apart by them. */
  #next = 0

  constructor(columns: readonly string[], keys: readonly string[]) {
    this.#columns = columns
    this.deletes = { number: DELETES, columns: keys.map(key => columns.indexOf(key)), deletes: true }
  }

  /** The shape that lacks the columns of these indexes, written as `'2,5,'`. */
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

  /** How many shapes are held. */
  get remembered(): number {
    return this.#byMissing.size
  }

  /** Of rows that lack nothing. */
  get whole(): RowShape {
    return this.without('')
  }
}
