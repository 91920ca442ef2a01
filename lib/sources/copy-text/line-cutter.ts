import { BACKSLASH, LINE_FEED, RETURN } from '../../values/text/ascii.ts'
import { MAX_RECORD_BYTES } from '../rows.ts'
import { SourceError } from '../source-error.ts'

type LineEnd = '\n' | '\r\n' | '\r'

/** A file without a line feed in so many bytes has lines that end with returns, if it has returns. */
const FIRST_BYTES = 65_536

export interface CopyLine {
  /** Without the byte that ends the line: after `\r\n`, the return is still there. */
  readonly bytes: Buffer
  /** Undefined where the end of the file ends the line. */
  readonly end: LineEnd | undefined
  /** The line of the file on which it begins. One with escaped line ends takes several lines of the file. */
  readonly number: number
}

/** Cuts a file into its lines. The first line end says how all lines end. */
export class LineCutter {
  readonly #name: string
  #rest: Buffer = Buffer.alloc(0)
  #end: LineEnd | undefined
  #number = 1

  constructor(name: string) {
    this.#name = name
  }

  /** Yields the lines that the chunk completes. */
  *cut(chunk: Buffer, isLast: boolean): Generator<CopyLine> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#end ??= lineEndOf(bytes, isLast)
    let from = 0
    for (let at = this.#indexOfEnd(bytes, from); at >= 0; at = this.#indexOfEnd(bytes, from)) {
      yield this.#line(bytes.subarray(from, at), this.#end)
      from = at + 1
    }
    this.#rest = bytes.subarray(from)
    if (this.#rest.length > MAX_RECORD_BYTES) {
      throw new SourceError(`${this.#name}: line ${this.#number} has more than 64 MiB`)
    }
    if (isLast && this.#rest.length > 0) yield this.#line(this.#rest, undefined)
  }

  #indexOfEnd(bytes: Buffer, from: number): number {
    return this.#end === undefined ? -1 : indexOfByte(bytes, lastByte(this.#end), from)
  }

  #line(bytes: Buffer, end: LineEnd | undefined): CopyLine {
    const number = this.#number++
    const byte = lastByte(this.#end!)
    for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) this.#number++
    return { bytes, end, number }
  }
}

/** Returns what ends the first line; undefined if more bytes have to come. */
function lineEndOf(bytes: Buffer, isWhole: boolean): LineEnd | undefined {
  const feed = indexOfByte(bytes, LINE_FEED, 0)
  if (feed >= 0) return bytes[feed - 1] === RETURN && !isEscapedByte(bytes, 0, feed - 1) ? '\r\n' : '\n'
  if (!isWhole && bytes.length < FIRST_BYTES) return undefined
  const first = indexOfByte(bytes, RETURN, 0)
  // after a return that comes last, a line feed may follow
  if (!isWhole && first === bytes.length - 1) return undefined
  if (first >= 0) return '\r'
  return isWhole ? '\n' : undefined
}

function lastByte(lineEnd: LineEnd): number {
  return lineEnd === '\r' ? RETURN : LINE_FEED
}

/** Returns where the byte comes next without a backslash before it, or -1. */
function indexOfByte(bytes: Buffer, byte: number, from: number): number {
  let at = bytes.indexOf(byte, from)
  while (at >= 0 && isEscapedByte(bytes, from, at)) at = bytes.indexOf(byte, at + 1)
  return at
}

/** Returns true for a byte after an odd number of backslashes. */
function isEscapedByte(bytes: Buffer, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && bytes[at - backslashes - 1] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
