import type { CsvFormat, CsvRecord } from './record.ts'

/** How a field stands in its record. */
export const PLAIN = 0
export const QUOTED = 1
/** Quoted, with escapes inside. */
export const ESCAPED = 2

const NO_CHARACTER = -1

/**
 * Finds the fields of one record after the other. It trusts that quotes are where they may be: whoever cuts a file into
 * records has seen to that.
 */
export class FieldCutter {
  /** Of each field of the record that was cut last, where it starts and ends in the chunk, quotes left out. */
  starts = new Int32Array(32)
  ends = new Int32Array(32)
  kinds = new Uint8Array(32)
  /** Holds what `unescape` was called for last. */
  unescaped = Buffer.alloc(1024)
  readonly #delimiter: number
  readonly #quote: number
  readonly #escape: number
  readonly #nulls: readonly Buffer[]
  readonly #emptyIsNull: boolean
  #sawEscape = false

  constructor({ delimiter, quote, escape: escapeBy, nulls }: CsvFormat) {
    this.#delimiter = code(delimiter)
    this.#quote = code(quote)
    this.#escape = code(quote && escapeBy)
    this.#emptyIsNull = nulls.includes('')
    this.#nulls = nulls.filter(text => text !== '').map(text => Buffer.from(text))
  }

  /** Cuts a record; returns how many fields it has. */
  cut({ chunk, start, end }: CsvRecord): number {
    const delimiter = this.#delimiter
    const quote = this.#quote
    let { starts, ends, kinds } = this
    let field = 0
    for (let at = start; ; at++) {
      if (field === starts.length) ({ starts, ends, kinds } = this.#grow())
      if (at < end && chunk[at] === quote) {
        starts[field] = at + 1
        at = this.#closingQuote(chunk, at + 1, end)
        ends[field] = at++
        kinds[field] = this.#sawEscape ? ESCAPED : QUOTED
      } else {
        starts[field] = at
        while (at < end && chunk[at] !== delimiter) at++
        ends[field] = at
        kinds[field] = PLAIN
      }
      field++
      if (at >= end) return field
    }
  }

  #closingQuote(chunk: Buffer, start: number, end: number): number {
    const quote = this.#quote
    const escapeBy = this.#escape
    let escapes = false
    let at = start
    for (; at < end; at++) {
      const byte = chunk[at]
      if (byte !== quote && byte !== escapeBy) continue
      if (this.#isEscape(chunk, at, end)) {
        escapes = true
        at++
      } else if (byte === quote) break
    }
    this.#sawEscape = escapes
    return at
  }

  /** True where an escape stands before what it escapes: a quote, or itself. */
  #isEscape(chunk: Buffer, at: number, end: number): boolean {
    if (chunk[at] !== this.#escape || at + 1 >= end) return false
    const next = chunk[at + 1]
    return next === this.#quote || next === this.#escape
  }

  /** True for an unquoted field that stands for NULL. */
  isNull(chunk: Buffer, field: number): boolean {
    if (this.kinds[field] !== PLAIN) return false
    const start = this.starts[field]!
    const end = this.ends[field]!
    if (start === end) return this.#emptyIsNull
    for (const text of this.#nulls) {
      if (text.length === end - start && text.compare(chunk, start, end) === 0) return true
    }
    return false
  }

  /** Puts the bytes of a field with escapes, without these, into `unescaped`; returns how many there are. */
  unescape(chunk: Buffer, field: number): number {
    const end = this.ends[field]!
    const escapeBy = this.#escape
    let at = this.starts[field]!
    if (this.unescaped.length < end - at) this.unescaped = Buffer.allocUnsafe((end - at) * 2)
    const out = this.unescaped
    let length = 0
    for (; at < end; at++) {
      if (chunk[at] === escapeBy && this.#isEscape(chunk, at, end)) at++
      out[length++] = chunk[at]!
    }
    return length
  }

  /** The text of a field, or null. */
  text(chunk: Buffer, field: number): string | null {
    if (this.isNull(chunk, field)) return null
    if (this.kinds[field] === ESCAPED) return this.unescaped.toString('utf8', 0, this.unescape(chunk, field))
    return chunk.toString('utf8', this.starts[field], this.ends[field])
  }

  #grow(): this {
    const { starts, ends, kinds } = this
    const length = starts.length * 2
    this.starts = new Int32Array(length)
    this.ends = new Int32Array(length)
    this.kinds = new Uint8Array(length)
    this.starts.set(starts)
    this.ends.set(ends)
    this.kinds.set(kinds)
    return this
  }
}

function code(character: string | undefined): number {
  return character === undefined ? NO_CHARACTER : character.charCodeAt(0)
}
