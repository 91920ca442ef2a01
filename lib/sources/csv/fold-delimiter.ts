import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { LINE_FEED, RETURN } from '../../values/text/ascii.ts'
import { MAX_RECORD_BYTES } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import type { DialectOptions } from './dialect.ts'
import { FOLDED_BYTE, FoldedPart } from './folded-part.ts'

/** Returns true for a delimiter of several bytes, which the splitter does not support. */
export function isLong(delimiter: string): boolean {
  return Buffer.byteLength(delimiter) > 1
}

/**
 * Replaces a longer delimiter by one character, outside of quotes and comments.
 *
 *     start ──quote──▶ quoted ──closing quote──▶ text        text, start ──delimiter──▶ start
 *     line ──comment character──▶ comment ──line end──▶ line
 */
export function foldDelimiter(name: string, delimiter: string, options: DialectOptions): Transform {
  const folder = new DelimiterFolder(name, delimiter, options)
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => folder.fold(chunk, false), done),
    flush: done => runWork(() => folder.fold(Buffer.alloc(0), true), done),
  })
}

/**
 * A record of several lines is held until it ends. If it proves malformed, the line after its first begins a
 * record, as for the splitter: a quote that is left open says nothing about the lines after it.
 */
class DelimiterFolder {
  readonly #name: string
  readonly #delimiter: Buffer
  readonly #quote: number | undefined
  readonly #escape: number | undefined
  readonly #comment: number | undefined
  #state: 'line' | 'start' | 'text' | 'quoted' | 'comment' = 'line'
  /** Bytes that are not scanned yet: a closing quote is judged together with the delimiter after it. */
  #unscanned: Buffer = Buffer.alloc(0)
  /** What was scanned of the record after its first line. Undefined: it has only one line so far. */
  #laterLines: LaterLines | undefined

  constructor(name: string, delimiter: string, options: DialectOptions) {
    this.#name = name
    this.#delimiter = Buffer.from(delimiter)
    this.#quote = code('quote' in options ? options.quote : '"')
    this.#escape = this.#quote === undefined ? undefined : (code(options.escape) ?? this.#quote)
    this.#comment = code(options.comment)
  }

  fold(chunk: Buffer, last: boolean): Buffer | undefined {
    const done: Buffer[] = []
    let bytes = this.#unscanned.length === 0 ? chunk : Buffer.concat([this.#unscanned, chunk])
    for (;;) {
      const again = this.#scan(bytes, last, done)
      if (again === undefined) break
      bytes = again
    }
    const all = Buffer.concat(done)
    return all.length === 0 ? undefined : all
  }

  /** Returns the bytes after the first line of a malformed record, to be scanned once more. */
  #scan(bytes: Buffer, last: boolean, done: Buffer[]): Buffer | undefined {
    const part = new FoldedPart(bytes)
    const until = last ? bytes.length : bytes.length - this.#delimiter.length
    while (part.at < until) {
      const byte = bytes[part.at]!
      const isLineEnd = byte === LINE_FEED || byte === RETURN
      if (this.#state === 'quoted') {
        const length = this.#stepInQuotes(bytes, part.at)
        if (length === undefined) return this.#restart(part.rest)
        part.copy(length)
        if (isLineEnd && !this.#laterLines) {
          this.#pass(part, done)
          this.#laterLines = new LaterLines()
        }
      } else if (isLineEnd) {
        part.copy(1)
        this.#pass(part, done)
        this.#endRecord(done)
        this.#state = 'line'
      } else if (this.#stepOutsideQuotes(bytes, part.at)) part.fold(this.#delimiter.length)
      else part.copy(1)
    }
    this.#pass(part, done)
    if (this.#isLeftOpen(last)) return this.#restart(part.rest)
    if (last) this.#endRecord(done)
    this.#unscanned = part.rest
    return undefined
  }

  /**
   * Sets the state after what is at an index inside quotes. Returns how many bytes it has; undefined if the
   * record is malformed, because a quote in a later line neither ends the field nor is escaped.
   */
  #stepInQuotes(bytes: Buffer, at: number): number | undefined {
    const byte = bytes[at]!
    const next = bytes[at + 1]
    const isEscapable = next !== undefined && (next === this.#quote || next === this.#escape)
    if (byte === this.#escape && isEscapable) return 2
    if (byte !== this.#quote) return 1
    if (this.#laterLines && next !== undefined && !this.#endsField(bytes, at + 1)) return undefined
    this.#state = 'text'
    return 1
  }

  /** Sets the state after what is at an index outside quotes. Returns true if it is a delimiter. */
  #stepOutsideQuotes(bytes: Buffer, at: number): boolean {
    const byte = bytes[at]!
    if (this.#state === 'comment') return false
    if (this.#state === 'line' && byte === this.#comment) {
      this.#state = 'comment'
      return false
    }
    if (this.#isDelimiter(bytes, at)) {
      this.#state = 'start'
      return true
    }
    if (byte === FOLDED_BYTE) {
      throw new SourceError(`${this.#name}: it has the control character U+001F outside quotes`)
    }
    this.#state = this.#state !== 'text' && byte === this.#quote ? 'quoted' : 'text'
    return false
  }

  #endsField(bytes: Buffer, at: number): boolean {
    const next = bytes[at]!
    return next === LINE_FEED || next === RETURN || this.#isDelimiter(bytes, at)
  }

  #isDelimiter(bytes: Buffer, at: number): boolean {
    const delimiter = this.#delimiter
    for (let byte = 0; byte < delimiter.length; byte++) {
      if (bytes[at + byte] !== delimiter[byte]) return false
    }
    return true
  }

  #isLeftOpen(last: boolean): boolean {
    if (!this.#laterLines) return false
    return (last && this.#state === 'quoted') || this.#laterLines.bytes > MAX_RECORD_BYTES
  }

  /** Passes on what was scanned. Later lines of a record wait for its end. */
  #pass(part: FoldedPart, done: Buffer[]): void {
    const { raw, folded } = part.take()
    if (this.#laterLines) this.#laterLines.add(raw, folded)
    else done.push(folded)
  }

  #endRecord(done: Buffer[]): void {
    if (this.#laterLines) done.push(...this.#laterLines.folded)
    this.#laterLines = undefined
  }

  /** Returns the lines after the first one of a malformed record, and the bytes after them. */
  #restart(rest: Buffer): Buffer {
    const bytes = Buffer.concat([...this.#laterLines!.raw, rest])
    this.#laterLines = undefined
    this.#state = 'line'
    return bytes
  }
}

/** The lines of a record after its first one, as they are in the file, and folded. */
class LaterLines {
  readonly raw: Buffer[] = []
  readonly folded: Buffer[] = []
  /** The bytes of `raw`. */
  bytes = 0

  add(raw: Buffer, folded: Buffer): void {
    this.raw.push(raw)
    this.folded.push(folded)
    this.bytes += raw.length
  }
}

function code(character: string | undefined): number | undefined {
  return character?.charCodeAt(0)
}
