/** The number of rows that were taken in when a number of bytes had been read. */
interface Point {
  readonly rows: number
  readonly bytes: number
}

/**
 * Maps rows to the bytes of the input that hold them. Bytes that were read at once are a stretch of the
 * input, and the rows in it share its bytes evenly. A stretch is open until the next bytes arrive: only then
 * is it known how many rows it has. An open stretch does not count, so that a reported share never shrinks.
 * What the readers hold in their buffers, a few hundred kilobytes, counts as taken in.
 */
export class InputProgress {
  readonly #skip: number
  /** The ends of the closed stretches of the input, from the last one that was asked for. */
  #points: Point[] = [{ rows: 0, bytes: 0 }]
  /** The end so far of the open stretch. */
  #open: Point = { rows: 0, bytes: 0 }
  #bytesSkipped = 0
  #forgot = false
  #ended = false

  /** @param skip rows that an earlier run has written */
  constructor(skip = 0) {
    this.#skip = skip
  }

  /** To be called for each batch that is taken in. */
  read(rows: number, bytes: number): void {
    if (this.#ended) return
    if (bytes > this.#open.bytes && this.#open.rows > 0) this.#close()
    this.#open = { rows, bytes }
  }

  /** To be called when no more rows come. */
  end(rows: number, bytes: number): void {
    this.read(rows, bytes)
    this.#close()
    this.#ended = true
  }

  /** Returns the bytes of the first `rows` rows. The number must not decrease from call to call. */
  bytesOf(rows: number): number {
    const bytes = this.#at(rows)
    if (rows <= this.#skip) return bytes
    if (!this.#forgot) this.#bytesSkipped = this.#at(this.#skip)
    const reached = this.#points.findLastIndex(point => point.rows <= rows)
    if (reached > 0) this.#forgot = this.#points.splice(0, reached).length > 0
    return bytes
  }

  /** The bytes of the rows that an earlier run wrote. Known once later rows are settled. */
  get bytesSkipped(): number {
    return this.#bytesSkipped
  }

  /** The bytes of all rows up to the end of the last closed stretch. */
  get bytesTakenIn(): number {
    return this.#points.at(-1)!.bytes
  }

  #close(): void {
    const last = this.#points.at(-1)!
    if (this.#open.rows > last.rows || this.#open.bytes > last.bytes) this.#points.push(this.#open)
  }

  #at(rows: number): number {
    const after = this.#points.findIndex(point => point.rows >= rows)
    if (after < 0) return this.bytesTakenIn
    const end = this.#points[after]!
    const start = this.#points[after - 1]
    if (!start || end.rows === rows) return end.bytes
    const share = (rows - start.rows) / (end.rows - start.rows)
    return start.bytes + Math.floor((end.bytes - start.bytes) * share)
  }
}
