import { PLACE_NUMBERS } from '../../../csv/record-table.ts'
import { LINE_FEED, RETURN, SPACE } from '../../../values/text/ascii.ts'
import { MAX_RECORD_BYTES } from '../../rows.ts'
import type { Dialect } from '../dialect.ts'
import { firstLine, shortenLine } from './first-line.ts'
import { Marks } from './marks.ts'
import { QuotedField } from './quoted-field.ts'
import { RecordParts } from './record-parts.ts'
import { afterQuote, INSIDE_FIELD, NEVER_ENDS, SplitError, TOO_LONG } from './split-error.ts'
import type { SplitOptions, TakeRecord } from './split-options.ts'
import type { FoundRecords, WasmSplitter } from './wasm-splitter.ts'

const NOTHING = Buffer.alloc(0)
/** An open quote may swallow megabytes. Each malformed record in them searches for marks up to their end. */
const PIECE = 256 * 1024

/**
 * Splits the bytes of a CSV file into records, chunk by chunk, and checks where quotes are. Outside of quotes
 * it finds the next quote or line end by `indexOf`, which costs 0.015 µs for a hundred bytes; a loop costs
 * 0.15 µs.
 *
 *     text ──quote at the start of a field──▶ quoted ──closing quote──▶ text
 *     text ──\n, \r\n or \r──▶ the next record, or a comment, which ends with its line
 *
 * Line ends may be mixed, so that a file made of several systems' files is read correctly. The caller checks
 * those of a file of one column.
 *
 * A malformed record ends the reading or, if the caller keeps malformed records, is taken with its fault. Its
 * text is then its first line, and the next record starts with the line after it: an open quote may have
 * swallowed many lines.
 */
export class CsvSplitter {
  readonly #delimiter: number
  readonly #quote: number | undefined
  readonly #escape: number | undefined
  readonly #comment: number | undefined
  readonly #quoted: QuotedField
  readonly #take: TakeRecord
  /** The bytes of the record that came in earlier chunks. */
  readonly #parts = new RecordParts()
  /** A quote, an escape or a return at the end of a chunk, whose meaning depends on the next byte. */
  #held: Buffer = NOTHING
  #lastByte = 0
  #state: 'start' | 'text' | 'quoted' | 'comment' = 'start'
  /** Line ends so far. */
  #lines = 0
  /** Line ends before the record. */
  #linesBefore = 0
  #quotedSince = 0
  readonly #keepsMalformed: boolean
  readonly #mayStop: boolean
  /** Lines of the file before the first record. */
  readonly #skipped: number
  readonly #onStrayQuote: (() => void) | undefined
  /** The record has a quote inside an unquoted field. */
  #isStray = false
  /** What is wrong with the record whose first line has not ended yet. */
  #fault: string | undefined
  readonly #wasm: WasmSplitter | undefined
  readonly #takeMany: SplitOptions['takeMany']

  /**
   * @param take called with each record, also with blank ones
   * @param options what to do about malformed records. Default: throw
   */
  constructor(
    dialect: Dialect,
    take: TakeRecord,
    {
      keepsMalformed = false,
      mayStop = false,
      onStrayQuote,
      linesBefore = 0,
      wasm,
      takeMany,
    }: SplitOptions = {},
  ) {
    this.#delimiter = dialect.delimiter.charCodeAt(0)
    this.#quote = dialect.quote?.charCodeAt(0)
    this.#escape = dialect.quote === undefined ? undefined : dialect.escape?.charCodeAt(0)
    this.#comment = dialect.comment?.charCodeAt(0)
    this.#quoted = new QuotedField(this.#delimiter, this.#quote, this.#escape)
    this.#take = take
    this.#keepsMalformed = keepsMalformed
    this.#mayStop = mayStop
    this.#onStrayQuote = onStrayQuote
    this.#skipped = linesBefore
    this.#lines = linesBefore
    this.#linesBefore = linesBefore
    const isCommon = this.#comment === undefined && this.#escape === this.#quote
    this.#wasm = isCommon ? wasm : undefined
    this.#takeMany = takeMany
  }

  /** @throws SplitError, after the records before the error */
  add(bytes: Buffer): void {
    this.#splitAll(bytes, false)
  }

  /** @throws SplitError */
  end(): void {
    this.#splitAll(NOTHING, true)
  }

  /** Splits a chunk, and what is left of it after each malformed record. */
  #splitAll(chunk: Buffer, isEnd: boolean): void {
    const waiting = [chunk]
    while (waiting.length > 0) {
      const next = waiting.pop()!
      let bytes = this.#held.length > 0 ? Buffer.concat([this.#held, next]) : next
      this.#held = NOTHING
      if (bytes.length > PIECE && this.#keepsMalformed) {
        waiting.push(bytes.subarray(PIECE))
        bytes = bytes.subarray(0, PIECE)
      }
      const isLast = isEnd && waiting.length === 0
      const rest = this.#fault === undefined ? this.#split(bytes, isLast) : this.#cutMalformed(bytes, isLast)
      if (rest) waiting.push(rest)
    }
  }

  /** Returns the bytes that are to be split again. */
  #split(chunk: Buffer, isLast: boolean): Buffer | undefined {
    const marks = new Marks(chunk, this.#quote, this.#escape)
    const { length } = chunk
    // start of the record, below 0 in an earlier chunk; `-x` may be -0, which makes V8 use doubles
    let start = 0 - this.#parts.length
    let at = 0
    let held = length

    try {
      while (at < length) {
        if (this.#state === 'quoted') {
          at = this.#skipQuoted(marks, chunk, at, isLast)
          if (!this.#quoted.hasEnded) {
            held = at
            break
          }
          this.#state = 'text'
          continue
        }
        if (this.#state === 'start') {
          at = this.#splitCommon(chunk, at)
          start = at
          if (at === length) break
          this.#state = chunk[at] === this.#comment ? 'comment' : 'text'
        }
        const mark = marks.next(at, this.#state === 'text')
        if (mark === length) break
        const byte = chunk[mark]!
        if (byte === RETURN && mark + 1 === length && !isLast) {
          held = mark
          break
        }
        at = mark + 1
        if (byte === LINE_FEED || byte === RETURN) {
          if (byte === RETURN && chunk[at] === LINE_FEED) at++
          this.#lines++
          if (this.#state === 'text') this.#cut(chunk, start, mark, at)
          else this.#parts.clear()
          start = at
          this.#linesBefore = this.#lines
          this.#state = 'start'
        } else {
          const before = mark === 0 ? this.#lastByte : chunk[mark - 1]
          if (mark > start && before !== this.#delimiter) {
            if (!this.#isTextBefore(chunk, start, mark)) throw new SplitError(this.#lines + 1, INSIDE_FIELD)
            this.#isStray = true
            continue
          }
          this.#state = 'quoted'
          this.#quotedSince = this.#lines + 1
        }
      }

      if (isLast) this.#finish(chunk, start)
      else this.#keep(chunk, start, held)
      return undefined
    } catch (error) {
      return this.#resume(error, chunk, start)
    }
  }

  /** Splits the records from `at` on that WebAssembly can split. Returns the index after them. */
  #splitCommon(chunk: Buffer, at: number): number {
    const wasm = this.#wasm
    if (!wasm) return at
    let next = at
    while (wasm.split(chunk, next, this.#delimiter, this.#quote)) {
      const { found } = wasm
      const line = this.#linesBefore + 1
      this.#lines = this.#linesBefore += found.lines
      next = wasm.next
      if (!this.#takeMany?.(chunk, found, line)) this.#takeEach(chunk, found, line)
    }
    return next
  }

  #takeEach(chunk: Buffer, { places, count, shift }: FoundRecords, line: number): void {
    for (let index = 0; index < count; index++) {
      const entry = index * PLACE_NUMBERS
      const [start, end, lines] = [places[entry]!, places[entry + 1]!, places[entry + 2]!]
      this.#take(chunk, shift + start, shift + end, line + lines, undefined)
    }
  }

  /** Returns all bytes from the beginning of a malformed record, and goes back to there. */
  #resume(error: unknown, chunk: Buffer, start: number): Buffer {
    if (!this.#keepsMalformed || !(error instanceof SplitError)) throw error
    const first = this.#linesBefore + 1
    const isSure = this.#lines < first // the fault is in the first line
    const begins = error.line === first ? '' : `the record that begins on line ${first}: `
    const resumes = isSure || this.#mayStop ? '' : `; reading continues with line ${first + 1}`
    this.#fault = `${begins}line ${error.line} ${error.message}${resumes}`
    const bytes = start >= 0 ? chunk.subarray(start) : this.#parts.with(chunk)
    this.#parts.clear()
    this.#isStray = false
    this.#lines = this.#linesBefore
    return bytes
  }

  /** Takes the first line of a malformed record. Returns the bytes after it; undefined: it has not ended. */
  #cutMalformed(chunk: Buffer, isLast: boolean): Buffer | undefined {
    const bytes = this.#parts.with(chunk)
    const line = firstLine(bytes, isLast)
    if (!line) {
      this.#parts.replaceBy(shortenLine(bytes))
      return undefined
    }
    const fault = this.#fault
    this.#fault = undefined
    this.#parts.clear()
    this.#lastByte = 0
    this.#state = 'start'
    this.#lines = ++this.#linesBefore
    this.#take(bytes, 0, line.end, this.#lines, fault)
    return line.next < bytes.length || isLast ? bytes.subarray(line.next) : undefined
  }

  /** Returns the index after the quoted field, or of the first byte that depends on the next chunk. */
  #skipQuoted(marks: Marks, chunk: Buffer, from: number, isLast: boolean): number {
    const quoted = this.#quoted
    const at = quoted.skip(marks, chunk, from, this.#lastByte, isLast)
    this.#lines += quoted.lineEnds
    if (quoted.wrongByte === undefined) return at
    throw new SplitError(this.#lines + 1, afterQuote(quoted.wrongByte, this.#linesBefore === this.#skipped))
  }

  /** Returns true if a quote may be text: strays are allowed, and not only blanks precede it in its field. */
  #isTextBefore(chunk: Buffer, start: number, mark: number): boolean {
    if (!this.#onStrayQuote) return false
    const inChunk = chunk.subarray(Math.max(start, 0), mark)
    const before = start < 0 ? this.#parts.with(inChunk) : inChunk
    const field = before.subarray(before.lastIndexOf(this.#delimiter) + 1)
    return field.some(byte => byte !== SPACE)
  }

  /** @param next the index after the line end */
  #cut(chunk: Buffer, start: number, end: number, next: number): void {
    if (this.#isStray) {
      this.#isStray = false
      this.#onStrayQuote!()
    }
    if (start >= 0) {
      this.#take(chunk, start, end, this.#linesBefore + 1, undefined)
      return
    }
    const whole = this.#parts.with(chunk.subarray(0, next))
    this.#parts.clear()
    this.#take(whole, 0, whole.length - (next - end), this.#linesBefore + 1, undefined)
  }

  #keep(chunk: Buffer, start: number, held: number): void {
    const from = Math.max(start, 0)
    if (held > from && this.#state !== 'comment') {
      if (this.#parts.length + held - from > MAX_RECORD_BYTES) {
        throw new SplitError(this.#linesBefore + 1, TOO_LONG)
      }
      this.#parts.add(chunk.subarray(from, held))
    }
    if (held > 0) this.#lastByte = chunk[held - 1]!
    this.#held = Buffer.from(chunk.subarray(held)) // the memory of a chunk is used again
  }

  #finish(chunk: Buffer, start: number): void {
    if (this.#state === 'quoted') throw new SplitError(this.#quotedSince, NEVER_ENDS)
    if (this.#state !== 'text') return
    this.#lines++
    this.#cut(chunk, start, chunk.length, chunk.length)
  }
}
