/**
 * Reads the items of the texts of ranges and composite types: quotes may be anywhere in an item, a quote in
 * quotes is doubled, and a backslash takes the next character as it is.
 * @see https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
 * @see https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO
 */
export class ItemReader {
  /** The index of the character that ended the last item. */
  end = 0
  readonly #isEnd: (code: number) => boolean

  /** @param ends the characters that end an item outside of quotes */
  constructor(ends: string) {
    const codes = [...ends].map(character => character.charCodeAt(0))
    this.#isEnd = code => codes.includes(code)
  }

  /**
   * Returns the item that begins here: null for one without a character, undefined for one that does not end.
   */
  read(text: string, start: number): string | null | undefined {
    let at = start
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE || code === BACKSLASH) return this.#readQuoted(text, start, at)
      if (this.#isEnd(code)) break
    }
    if (at === text.length) return undefined
    this.end = at
    return at === start ? null : text.slice(start, at)
  }

  #readQuoted(text: string, start: number, from: number): string | undefined {
    let item = text.slice(start, from)
    let inQuotes = false
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === BACKSLASH) {
        if (++at === text.length) return undefined
        item += text[at]
      } else if (code === QUOTE) {
        if (inQuotes && text.charCodeAt(at + 1) === QUOTE) item += text[++at]
        else inQuotes = !inQuotes
      } else if (!inQuotes && this.#isEnd(code)) {
        this.end = at
        return item
      } else {
        item += text[at]
      }
    }
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
