/** The number of rows whose lines are kept, at most: 10 MB of numbers. */
const MAX_KEPT_LINES = 2_500_000

/** Turns the writer's `row 3 of batch 5` into the row's number in the input, and into its line. */
export class RowPositions {
  /** For each batch the number of its first row, from 0. A batch costs eight bytes. */
  readonly #starts: number[] = []
  /** Rows of the input up to the last batch. */
  #rows: number
  /**
   * For each batch the line of its first row. If some rows do not have exactly one line, the line of each
   * row.
   */
  readonly #lines: (number | Uint32Array | undefined)[] = []
  #keptLines = 0
  /** The first batch whose lines are kept. */
  #oldest = 0

  /** @param skipped rows of the file before the first batch */
  constructor(skipped = 0) {
    this.#rows = skipped
  }

  /**
   * To be called for each batch before it is written.
   * @param lines the line on which the first row begins, if each has one line, or that of each row; undefined
   *   if these are not known
   * @param first the number of its first row, where rows between two batches are left out
   */
  addBatch(count: number, lines?: number | Uint32Array, first = this.#rows + 1): void {
    this.#starts.push(first - 1)
    this.#rows = first - 1 + count
    this.#lines.push(lines)
    if (typeof lines === 'object') this.#keep(lines.length)
  }

  /** Returns the number of a row, from 1. The header does not count. */
  rowNumber(batchId: number, rowIndex: number): number | undefined {
    const start = this.#starts[batchId - 1]
    return start === undefined ? undefined : start + rowIndex + 1
  }

  /** Returns the line on which a row begins, from 1, or undefined if it is not known. */
  lineOf(batchId: number, rowIndex: number): number | undefined {
    const lines = this.#lines[batchId - 1]
    return typeof lines === 'number' ? lines + rowIndex : lines?.[rowIndex]
  }

  /** Makes room for the lines of the last batch. */
  #keep(count: number): void {
    this.#keptLines += count
    while (this.#keptLines > MAX_KEPT_LINES && this.#oldest < this.#lines.length - 1) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const lines = this.#lines[this.#oldest]
    if (lines instanceof Uint32Array) {
      this.#keptLines -= lines.length
      this.#lines[this.#oldest] = undefined
    }
    this.#oldest++
  }
}
