import { MAX_RECORD_BYTES } from '../rows.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d

/**
 * Splits the text of one JSON array into the texts of its elements, which are parsed afterwards. It counts
 * brackets and skips strings. The array is valid JSON if every element is.
 *
 *     before ──[──▶ inside ──]──▶ over
 */
export class ElementCutter {
  #state: 'before' | 'inside' | 'over' = 'before'
  /** The parts of the element that is not complete, and their length. */
  #parts: string[] = []
  #length = 0
  #depth = 0
  #inString = false
  /** The next character of a string is escaped. */
  #escaped = false
  #elements = 0

  /** The first character, if it does not start an array; empty if there was none. */
  wrongStart: string | undefined
  isTooLong = false

  /** The array is closed. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Yields the elements that the text completes. @throws SyntaxError, after the elements before the error */
  *cut(text: string): Generator<string> {
    let at = this.#state === 'before' ? this.#begin(text) : 0
    let start = at
    while (at < text.length && this.#state === 'inside') {
      if (this.#inString) {
        at = this.#skipString(text, at)
        continue
      }
      const code = text.charCodeAt(at)
      if (code === QUOTE) this.#inString = true
      // { and [ differ from } and ] by two, and from each other by a bit
      else if ((code | 0x20) === 0x7b) this.#depth++
      else if (this.#depth > 0) {
        if ((code | 0x20) === 0x7d) this.#depth--
      } else if (code === COMMA || code === CLOSE_BRACKET) {
        const element = this.#take(text.slice(start, at))
        if (code === CLOSE_BRACKET) this.#state = 'over'
        start = at + 1
        const isEmptyArray = code === CLOSE_BRACKET && this.#elements === 0 && element.trim() === ''
        if (!isEmptyArray) {
          this.#elements++
          yield element
        }
      }
      at++
    }
    if (this.#state === 'inside') this.#keep(text.slice(start))
    else if (this.#state === 'over' && text.slice(start).trim() !== '')
      throw new SyntaxError('text after the array')
  }

  /** The text of the element that is not complete. */
  get pending(): string {
    return this.#parts.join('')
  }

  /** @throws SyntaxError if the array is not complete */
  end(): void {
    if (this.#state === 'before') this.wrongStart = ''
    if (this.#state !== 'over') throw new SyntaxError('the array is cut off')
  }

  /** Returns the index after the bracket that starts the array. */
  #begin(text: string): number {
    const trimmed = text.trimStart()
    if (trimmed === '') return text.length
    if (trimmed[0] !== '[') {
      this.wrongStart = trimmed[0]!
      throw new SyntaxError('not an array')
    }
    this.#state = 'inside'
    return text.length - trimmed.length + 1
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

  #keep(part: string): void {
    this.#parts.push(part)
    this.#length += part.length
    if (this.#length <= MAX_RECORD_BYTES) return
    this.isTooLong = true
    throw new SyntaxError('the element is too long')
  }

  #take(part: string): string {
    const element = this.#parts.length === 0 ? part : this.#parts.join('') + part
    this.#parts = []
    this.#length = 0
    return element
  }
}
