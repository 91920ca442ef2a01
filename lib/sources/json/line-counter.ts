/** Returns the line of an index in text that comes in chunks. The indexes must not decrease. */
export class LineCounter {
  #text = ''
  #line = 1
  /** The next line end of the text. */
  #feed = Number.POSITIVE_INFINITY

  /** Takes the next chunk. */
  add(text: string): void {
    this.at(this.#text.length)
    this.#text = text
    this.#find(0)
  }

  /** Returns the line, from 1. */
  at(index: number): number {
    while (this.#feed < index) {
      this.#line++
      this.#find(this.#feed + 1)
    }
    return this.#line
  }

  #find(from: number): void {
    const found = this.#text.indexOf('\n', from)
    this.#feed = found < 0 ? Number.POSITIVE_INFINITY : found
  }
}
