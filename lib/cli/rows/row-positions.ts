/** Turns the writer's `row 3 of batch 5` into the row's number in the file. */
export class RowPositions {
  /** For each batch the number of its first row, from 0: eight bytes for a batch of a thousand rows. */
  readonly #starts: number[]

  /** @param skipped rows of the file before the first one that is batched */
  constructor(skipped = 0) {
    this.#starts = [skipped]
  }

  /** To be called for each batch, before it is written. */
  addBatch(count: number): void {
    this.#starts.push(this.#starts.at(-1)! + count)
  }

  /** The number of a row, from 1, the header not counted. */
  rowNumber(batchId: number, rowIndex: number): number | undefined {
    const start = this.#starts[batchId - 1]
    return start === undefined ? undefined : start + rowIndex + 1
  }
}
