import type { CsvFormat, CsvRecord } from './record.ts'

/** How a field stands in its record. */
const PLAIN = 0
const QUOTED = 1
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
  /** Where the quotes end that `unquote` was called for last. */
  closed = 0
  readonly #delimiter: number
  readonly #quote: number
  readonly #escape: number
  readonly #nulls: readonly Buffer[]
  readonly #emptyIsNull: boolean
  readonly #forceNull: boolean
  #sawEscape = false

  constructor({ delimiter, quote, escape: escapeBy, nulls, forceNull = false }: CsvFormat) {
    this.#delimiter = code(delimiter)
    this.#quote = code(quote)
    this.#escape = code(quote && escapeBy)
    this.#emptyIsNull = nulls.includes('')
    this.#forceNull = forceNull
    this.#nulls = nulls.filter(text => text !== '').map(text => Buffer.from(text))
  }

  /** Cuts a record; returns how many fields it has. */
  cut({ chunk, start, end }: CsvRecord): number {
    let field = 0
    for (let at = start; ; at++) {
      if (field === this.starts.length) this.#grow()
      at = this.cutField(field, chunk, at, end)
      field++
      if (at >= end) return field
    }
  }

  isQuoted(chunk: Buffer, at: number, end: number): boolean {
    return at < end && chunk[at] === this.#quote
  }

  /** Cuts the field that starts at a place; returns the place behind it, of a delimiter or the end. */
  cutField(field: number, chunk: Buffer, start: number, end: number): number {
    if (this.isQuoted(chunk, start, end)) {
      const close = this.#closingQuote(chunk, start + 1, end)
      this.starts[field] = start + 1
      this.ends[field] = close
      this.kinds[field] = this.#sawEscape ? ESCAPED : QUOTED
      return close + 1
    }
    const delimiter = this.#delimiter
    let at = start
    while (at < end && chunk[at] !== delimiter) at++
    this.starts[field] = start
    this.ends[field] = at
    this.kinds[field] = PLAIN
    return at
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

  /** True for a field that means NULL; one in quotes does so only where the format says it. */
  isNull(chunk: Buffer, field: number): boolean {
    const kind = this.kinds[field]
    if (kind !== PLAIN) {
      if (!this.#forceNull) return false
      if (kind === ESCAPED) {
        const length = this.unescape(chunk, field)
        return this.#isNullText(this.unescaped, 0, length)
      }
    }
    return this.#isNullText(chunk, this.starts[field]!, this.ends[field]!)
  }

  #isNullText(chunk: Buffer, start: number, end: number): boolean {
    if (start === end) return this.#emptyIsNull
    for (const text of this.#nulls) {
      if (text.length === end - start && text.compare(chunk, start, end) === 0) return true
    }
    return false
  }

  /** Puts the bytes of a field with escapes, without these, into `unescaped`; returns how many there are. */
  unescape(chunk: Buffer, field: number): number {
    const start = this.starts[field]!
    const end = this.ends[field]!
    if (this.unescaped.length < end - start) this.unescaped = Buffer.allocUnsafe((end - start) * 2)
    return this.unquote(chunk, start, end, this.unescaped, 0)
  }

  /**
   * Copies bytes that stand in quotes, without escapes, up to the closing quote; `into` must have room for all up to
   * `end`. Returns the place behind the copy, and leaves that of the closing quote in `closed`.
   */
  unquote(chunk: Buffer, start: number, end: number, into: Buffer, to: number): number {
    const quote = this.#quote
    const escapeBy = this.#escape
    let length = to
    let at = start
    for (; at < end; at++) {
      const byte = chunk[at]!
      if (byte === quote || byte === escapeBy) {
        if (this.#isEscape(chunk, at, end)) at++
        else if (byte === quote) break
      }
      into[length++] = chunk[at]!
    }
    this.closed = at
    return length
  }

  /** The text of a field, or null. */
  text(chunk: Buffer, field: number): string | null {
    if (this.isNull(chunk, field)) return null
    if (this.kinds[field] === ESCAPED) return this.unescaped.toString('utf8', 0, this.unescape(chunk, field))
    return chunk.toString('utf8', this.starts[field], this.ends[field])
  }

  #grow(): void {
    const { starts, ends, kinds } = this
    const length = starts.length * 2
    this.starts = new Int32Array(length)
    this.ends = new Int32Array(length)
    this.kinds = new Uint8Array(length)
    this.starts.set(starts)
    this.ends.set(ends)
    this.kinds.set(kinds)
  }
}

function code(character: string | undefined): number {
  return character === undefined ? NO_CHARACTER : character.charCodeAt(0)
}
