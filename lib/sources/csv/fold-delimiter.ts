import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { LINE_FEED, RETURN } from '../../values/text/ascii.ts'
import { MAX_RECORD_BYTES } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import type { DialectOptions } from './dialect.ts'

/**
 * Replaces a longer delimiter: the unit separator, a control character for this purpose that texts do not
 * contain.
 */
export const FOLDED = '\x1f'
const FOLDED_BYTE = 0x1f

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
  readonly #mark: Buffer
  readonly #quote: number | undefined
  readonly #escape: number | undefined
  readonly #comment: number | undefined
  #state: 'line' | 'start' | 'text' | 'quoted' | 'comment' = 'line'
  /** Bytes that are not scanned yet: a closing quote is judged together with the delimiter after it. */
  #held: Buffer = Buffer.alloc(0)
  /** What was scanned of a record after its first line, and what it becomes. */
  #raw: Buffer[] = []
  #folded: Buffer[] = []
  #rawBytes = 0
  /** The record has more than a line. */
  #isTall = false

  constructor(name: string, delimiter: string, options: DialectOptions) {
    this.#name = name
    this.#mark = Buffer.from(delimiter)
    this.#quote = code('quote' in options ? options.quote : '"')
    this.#escape = this.#quote === undefined ? undefined : (code(options.escape) ?? this.#quote)
    this.#comment = code(options.comment)
  }

  fold(chunk: Buffer, last: boolean): Buffer | undefined {
    const done: Buffer[] = []
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
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
    const [mark, quote, escapedBy] = [this.#mark, this.#quote, this.#escape]
    const until = last ? bytes.length : Math.max(0, bytes.length - mark.length)
    const out = Buffer.allocUnsafe(bytes.length)
    let length = 0
    /** The first bytes of `out` and of `bytes` that are not passed on. */
    let [outFrom, from, at] = [0, 0, 0]
    const pass = () => {
      const part = out.subarray(outFrom, length)
      if (this.#isTall) this.#keep(bytes.subarray(from, at), part)
      else done.push(part)
      outFrom = length
      from = at
    }
    while (at < until) {
      const byte = bytes[at]!
      let taken = 1
      if (this.#state === 'quoted') {
        const next = bytes[at + 1]
        if (byte === escapedBy && next !== undefined && (next === quote || next === escapedBy)) taken = 2
        else if (byte === quote) {
          if (this.#isTall && next !== undefined && !this.#endsField(bytes, at + 1)) {
            return this.#restart(bytes.subarray(from))
          }
          this.#state = 'text'
        }
      } else if (byte === LINE_FEED || byte === RETURN) {
        out[length++] = bytes[at++]!
        pass()
        this.#release(done)
        this.#state = 'line'
        continue
      } else if (this.#state === 'line' && byte === this.#comment) this.#state = 'comment'
      else if (this.#state !== 'comment') {
        if (byte === mark[0] && mark.equals(bytes.subarray(at, at + mark.length))) {
          this.#state = 'start'
          out[length++] = FOLDED_BYTE
          at += mark.length
          continue
        }
        if (byte === FOLDED_BYTE)
          throw new SourceError(`${this.#name}: it has the control character U+001F outside quotes`)
        this.#state = this.#state !== 'text' && byte === quote ? 'quoted' : 'text'
      }
      for (; taken > 0; taken--) out[length++] = bytes[at++]!
      if (this.#state === 'quoted' && !this.#isTall && (byte === LINE_FEED || byte === RETURN)) {
        if (byte === RETURN && bytes[at] === LINE_FEED) out[length++] = bytes[at++]!
        pass()
        this.#isTall = true
      }
    }
    pass()
    const isOpen = this.#isTall && ((last && this.#state === 'quoted') || this.#rawBytes > MAX_RECORD_BYTES)
    if (isOpen) return this.#restart(bytes.subarray(at))
    if (last) this.#release(done)
    this.#held = bytes.subarray(at)
    return undefined
  }

  #endsField(bytes: Buffer, at: number): boolean {
    const next = bytes[at]!
    if (next === LINE_FEED || next === RETURN) return true
    return this.#mark.equals(bytes.subarray(at, at + this.#mark.length))
  }

  #keep(raw: Buffer, folded: Buffer): void {
    this.#raw.push(raw)
    this.#folded.push(folded)
    this.#rawBytes += raw.length
  }

  /** Passes on a record that has ended. */
  #release(done: Buffer[]): void {
    done.push(...this.#folded)
    this.#forget()
  }

  #restart(rest: Buffer): Buffer {
    const bytes = Buffer.concat([...this.#raw, rest])
    this.#forget()
    this.#state = 'line'
    return bytes
  }

  #forget(): void {
    this.#raw = []
    this.#folded = []
    this.#rawBytes = 0
    this.#isTall = false
  }
}

function code(character: string | undefined): number | undefined {
  return character?.charCodeAt(0)
}
