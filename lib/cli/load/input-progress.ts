/** So many rows had been taken in when so many bytes of the input had been read. */
interface Point {
  readonly rows: number
  readonly bytes: number
}

/**
 * Knows which bytes of the input hold its first rows. Where several batches come out of bytes that were read at once,
 * their rows share these bytes evenly, and count only once the next bytes show how many rows there are: a share that
 * was reported never shrinks. What the readers hold in their buffers, a few hundred kilobytes, counts as taken in.
 */
export class InputProgress {
  readonly #skip: number
  /** The closed stretches of the input; what lies before the rows that were asked for is forgotten. */
  #points: Point[] = [{ rows: 0, bytes: 0 }]
  /** How far the stretch that is still open has come. */
  #open: Point = { rows: 0, bytes: 0 }
  #bytesSkipped = 0
  #forgot = false
  #ended = false

  /** @param skip rows that an earlier run has written */
  constructor(skip = 0) {
    this.#skip = skip
  }

  /** To be called with each batch that is taken in. */
  read(rows: number, bytes: number): void {
    if (this.#ended) return
    if (bytes > this.#open.bytes && this.#open.rows > 0) this.#close()
    this.#open = { rows, bytes }
  }

  /** No more rows come. */
  end(rows: number, bytes: number): void {
    this.read(rows, bytes)
    this.#close()
    this.#ended = true
  }

  /** Returns the bytes of the first `rows` rows, which may not be fewer than at the last call. */
  bytesOf(rows: number): number {
    const bytes = this.#at(rows)
    if (rows <= this.#skip) return bytes
    if (!this.#forgot) this.#bytesSkipped = this.#at(this.#skip)
    const reached = this.#points.findLastIndex(point => point.rows <= rows)
    if (reached > 0) this.#forgot = this.#points.splice(0, reached).length > 0
    return bytes
  }

  /** Bytes of the rows that an earlier run has written, once rows after these are settled. */
  get bytesSkipped(): number {
    return this.#bytesSkipped
  }

  /** Bytes of all rows up to the end of the last closed stretch. */
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
    return start.bytes + ((end.bytes - start.bytes) * (rows - start.rows)) / (end.rows - start.rows)
  }
}
