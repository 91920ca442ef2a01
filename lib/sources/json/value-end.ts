import { BACKSLASH, COMMA, QUOTE } from '../../values/text/ascii.ts'

/** Finds the end of one JSON value in text that comes in chunks. It counts brackets and skips strings. */
export class ValueEnd {
  readonly #closer: number | undefined
  #depth = 0
  #inString = false
  /** The next character of a string is escaped. */
  #escaped = false
  #begun = false
  /** The value is a number or a word. */
  #isBare = false
  isFound = false

  /**
   * @param closer the bracket after the last value of the list or object that the value is in. It and a comma
   *   end the value. Default: the value ends with its own last character
   */
  constructor(closer: number | undefined) {
    this.#closer = closer
  }

  /** True if the value is complete when no more text comes. */
  get mayEnd(): boolean {
    return this.#isBare
  }

  /** Returns the index after the value, and sets `isFound`; otherwise the text's length. */
  find(text: string, from: number): number {
    const { length } = text
    const closer = this.#closer
    if (!this.#begun) this.#begin(text.charCodeAt(from))
    if (this.#isBare) return this.#endOfBare(text, from)
    let at = from
    while (at < length) {
      if (this.#inString) {
        at = this.#skipString(text, at)
        if (closer === undefined && this.#depth === 0 && !this.#inString) return this.#found(at)
        continue
      }
      const code = text.charCodeAt(at)
      if (code === QUOTE) this.#inString = true
      // { and [ differ from } and ] by two, and from each other by a bit
      else if ((code | 0x20) === 0x7b) this.#depth++
      else if (this.#depth > 0) {
        if ((code | 0x20) === 0x7d && --this.#depth === 0 && closer === undefined) return this.#found(at + 1)
      } else if (code === COMMA || code === closer) return this.#found(at)
      at++
    }
    return length
  }

  #begin(code: number): void {
    this.#begun = true
    this.#isBare = this.#closer === undefined && code !== QUOTE && (code | 0x20) !== 0x7b
  }

  #endOfBare(text: string, from: number): number {
    let at = from
    while (at < text.length && !/[ \t\r\n"{[]/.test(text[at]!)) at++
    return at < text.length ? this.#found(at) : at
  }

  #found(at: number): number {
    this.isFound = true
    return at
  }

  /** Returns the index after the string that `at` is in, or the text's end. */
  #skipString(text: string, at: number): number {
    let from = at
    if (this.#escaped) {
      this.#escaped = false
      from++
    }
    const quote = text.indexOf('"', from)
    const end = quote < 0 ? text.length : quote
    let slashes = end
    while (slashes > from && text.charCodeAt(slashes - 1) === BACKSLASH) slashes--
    const isEscaped = (end - slashes) % 2 === 1
    if (quote < 0) {
      this.#escaped = isEscaped
      return end
    }
    if (!isEscaped) this.#inString = false
    return quote + 1
  }
}
