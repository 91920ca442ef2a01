/** The average length of the rows that a stream has sent, by which rows that wait can be bounded in bytes. */
export class RowLength {
  #rows = 0
  #bytes = 0

  /** Notes rows that were sent, and their bytes together. */
  note(rows: number, bytes: number): void {
    this.#rows += rows
    this.#bytes += bytes
  }

  /** Returns how many rows have so many bytes together: 0 as long as none was sent. */
  rowsIn(bytes: number): number {
    return this.#rows === 0 ? 0 : (bytes * this.#rows) / this.#bytes
  }
}
