import type { CsvFormat, CsvRecord } from './record.ts'

/** How a field is written in its record. */
const PLAIN = 0
const QUOTED = 1
/** Quoted, with escapes inside. */
export const ESCAPED = 2

const NO_CHARACTER = -1

/**
 * Finds the fields of one record after the other. It does not check the places of quotes: the reader that
 * splits a file into records has done that.
 */
export class FieldCutter {
  /** For each field of the last record: where it starts and ends in the chunk, without its quotes. */
  starts = new Int32Array(32)
  ends = new Int32Array(32)
  kinds = new Uint8Array(32)
  /** The result of the last call of `unescape`. */
  unescaped = Buffer.alloc(1024)
  /** The closing quote that the last call of `unquote` has found. */
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

  /** Finds the fields of a record; returns how many it has. */
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

  /**
   * Finds the end of the field that starts at `start`; returns the index of the delimiter after it, or `end`.
   */
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

  /** Returns true for an escape that precedes what it escapes: a quote, or itself. */
  #isEscape(chunk: Buffer, at: number, end: number): boolean {
    if (chunk[at] !== this.#escape || at + 1 >= end) return false
    const next = chunk[at + 1]
    return next === this.#quote || next === this.#escape
  }

  /** Returns true for a field that means NULL. A quoted one does so only with `forceNull`. */
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

  /** Copies the bytes of a field into `unescaped`, without its escapes; returns how many bytes there are. */
  unescape(chunk: Buffer, field: number): number {
    const start = this.starts[field]!
    const end = this.ends[field]!
    if (this.unescaped.length < end - start) this.unescaped = Buffer.allocUnsafe((end - start) * 2)
    return this.unquote(chunk, start, end, this.unescaped, 0)
  }

  /**
   * Copies quoted bytes up to the closing quote, without their escapes; `into` must have room for all up to
   * `end`. Returns the index after the copy, and leaves that of the closing quote in `closed`.
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

  /** Returns the text of a field, or null. */
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
