import { LINE_FEED, RETURN } from '../../../values/text/ascii.ts'

/** The indexes of quotes and line ends in a chunk. Each kind is searched for only as far as needed. */
export class Marks {
  readonly #chunk: Buffer
  readonly #quoteByte: number | undefined
  /** Undefined where the quote is its own escape. */
  readonly #escapeByte: number | undefined
  #feed = -1
  #return = -1
  #quote = -1
  #escape = -1

  constructor(chunk: Buffer, quote: number | undefined, escapedBy: number | undefined) {
    this.#chunk = chunk
    this.#quoteByte = quote
    this.#escapeByte = escapedBy === quote ? undefined : escapedBy
  }

  /**
   * Returns the index of the next line end, or of the next quote if `quotes`; the chunk's length without
   * one.
   */
  next(at: number, quotes: boolean): number {
    const end = this.#nextLineEnd(at)
    if (!quotes) return end
    if (this.#quote < at) this.#quote = this.#find(this.#quoteByte, at)
    return this.#quote < end ? this.#quote : end
  }

  /** Returns the index of the next line end, quote or escape; or the chunk's length. */
  nextInQuotes(at: number): number {
    const mark = this.next(at, true)
    if (this.#escape < at) this.#escape = this.#find(this.#escapeByte, at)
    return this.#escape < mark ? this.#escape : mark
  }

  #nextLineEnd(at: number): number {
    if (this.#feed < at) this.#feed = this.#find(LINE_FEED, at)
    if (this.#return < at) this.#return = this.#find(RETURN, at)
    return this.#feed < this.#return ? this.#feed : this.#return
  }

  #find(byte: number | undefined, at: number): number {
    const found = byte === undefined ? -1 : this.#chunk.indexOf(byte, at)
    return found < 0 ? this.#chunk.length : found
  }
}
