/**
 * The bytes of one record, or of its first line, that came in earlier chunks. They are copies, because the
 * memory of a chunk is used again.
 */
export class RecordParts {
  #parts: Buffer[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  add(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.#length += bytes.length
  }

  replaceBy(bytes: Buffer): void {
    this.#parts = [Buffer.from(bytes)]
    this.#length = bytes.length
  }

  clear(): void {
    this.#parts = []
    this.#length = 0
  }

  /** Returns the bytes and those that follow them. */
  with(chunk: Buffer): Buffer {
    return this.#parts.length === 0 ? chunk : Buffer.concat([...this.#parts, chunk])
  }
}
