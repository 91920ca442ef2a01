import { isUtf8 } from 'node:buffer'
import { type Readable, Transform } from 'node:stream'
import { plural } from '../values/format-count.ts'
import { notUtf8 } from './input/not-utf8.ts'
import { faultOf, malformedRow } from './malformed.ts'
import { pushAll } from './push-all.ts'
import { MAX_RECORD_BYTES, type SourceRow, setOwn } from './rows.ts'
import { MalformedRecord, SourceError } from './source-error.ts'

export interface CopyTextOptions {
  readonly delimiter: string
  /** The texts that mean NULL, as the file has them, with their backslashes. */
  readonly nulls: readonly string[]
  /** The first line names the columns. */
  readonly header: boolean
  /** Return a `malformedRow` for a line that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
  /** The encoding of the file, for messages. @default UTF-8 */
  readonly encoding?: string | undefined
}

/** The line that ends the data, if there is one. */
const END_OF_DATA = '\\.'

const LINE_FEED = 0x0a
const RETURN = 0x0d
const BACKSLASH = 0x5c

type LineEnd = '\n' | '\r\n' | '\r'

/** A file without a line feed in so many bytes has lines that end with returns, if it has returns. */
const FIRST_BYTES = 65_536

/** What is wrong with a line. The message continues `line 5`. */
class LineError extends Error {}

/**
 * Reads COPY's text format: bytes in, one object for each line out. Every value is a string or null.
 * @param onHeader called before the first row comes
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */
export function readCopyText(
  name: string,
  { delimiter, nulls, header: hasHeader, keepsMalformed = false, encoding = 'UTF-8' }: CopyTextOptions,
  onHeader: (header: readonly string[], rows: Readable) => void,
): Transform {
  let rest: Buffer = Buffer.alloc(0)
  /** The line of the file on which the record begins. */
  let line = 1
  let header: readonly string[] | undefined
  /** Malformed lines before the first one that has fields. */
  let leading: SourceRow[] = []
  let lineEnd: LineEnd | undefined
  let isOver = false

  function* take(chunk: Buffer, last: boolean): Generator<SourceRow> {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    lineEnd ??= lineEndOf(rest, last)
    let from = 0
    for (;;) {
      const end = lineEnd === undefined ? -1 : indexOfByte(rest, lastByte(lineEnd), from)
      if (end < 0) break
      yield* rowsOf(rest.subarray(from, end), false)
      from = end + 1
    }
    rest = rest.subarray(from)
    if (rest.length > MAX_RECORD_BYTES) throw new SourceError(`${name}: line ${line} has more than 64 MiB`)
    if (last && rest.length > 0) yield* rowsOf(rest, true)
    if (last && leading.length > 0) throw new SourceError(`${name}: ${faultOf(leading[0]!)}`)
  }

  /** @param isCut the end of the file ends the line */
  function* rowsOf(bytes: Buffer, isCut: boolean): Generator<SourceRow> {
    const row = rowOf(bytes, isCut)
    const end = lastByte(lineEnd!)
    line++
    for (let at = bytes.indexOf(end); at >= 0; at = bytes.indexOf(end, at + 1)) line++
    if (row === undefined) return
    if (header === undefined) leading.push(row)
    else {
      yield* leading
      leading = []
      yield row
    }
  }

  /** Returns undefined for a line without a row: the header, and the end of the data. */
  function rowOf(bytes: Buffer, isCut: boolean): SourceRow | undefined {
    try {
      if (!isUtf8(bytes)) throw new LineError(`is not valid ${encoding}`)
      return readLine(bytes.toString(), isCut)
    } catch (error) {
      if (!(error instanceof LineError)) throw error
      const fault = `line ${line} ${error.message}`
      if (keepsMalformed && (header !== undefined || !hasHeader)) return malformedRow(bytes, fault)
      throw isUtf8(bytes) ? new MalformedRecord(`${name}: ${fault}`) : notUtf8(name, fault, bytes)
    }
  }

  function readLine(text: string, isCut: boolean): SourceRow | undefined {
    const ends = lineEnd === '\r\n' && !isCut
    const returns = ends && text.endsWith('\r') && !isEscaped(text, 0, text.length - 1)
    const line = returns ? text.slice(0, -1) : text
    checkLine(line)
    if (ends && !returns && line !== END_OF_DATA) throw new LineError(STRAY_RETURN)
    if (isOver) throw new LineError(`follows "${END_OF_DATA}", which ends the data`)
    if (line === END_OF_DATA) {
      isOver = true
      return undefined
    }
    const fields = split(line, delimiter)
    if (header === undefined) {
      const texts = fields.map(unescaped)
      header = hasHeader ? uniqueNames(texts) : fields.map((_, index) => `column${index + 1}`)
      onHeader(header, stream)
      if (hasHeader) return undefined
    }
    if (fields.length !== header.length) {
      throw new LineError(`has ${plural(fields.length, 'field')}, the file has ${header.length} columns`)
    }
    const row: SourceRow = {}
    for (const [index, field] of fields.entries()) {
      setOwn(row, header[index]!, nulls.includes(field) ? null : unescaped(field))
    }
    return row
  }

  const stream = new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      pushAll(this, take(chunk, false), done)
    },
    flush(done) {
      pushAll(this, take(Buffer.alloc(0), true), done)
    },
  })
  return stream
}

const STRAY_RETURN = 'has a carriage return that is neither \\r nor at the end of each line'
const STRAY_FEED = 'has a line feed that is neither \\n nor at the end of each line'
const STRAY_END = `has "${END_OF_DATA}", which ends the data on a line of its own`

/** Throws for what COPY refuses: line ends inside a line, and the end of the data. */
function checkLine(line: string): void {
  if (!/[\r\n]|\\\./.test(line) || line === END_OF_DATA) return
  for (const [found] of line.matchAll(/\\[\s\S]|[\r\n]/g)) {
    if (found === '\r') throw new LineError(STRAY_RETURN)
    if (found === '\n') throw new LineError(STRAY_FEED)
    if (found === END_OF_DATA) throw new LineError(STRAY_END)
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

/** Returns true after an odd number of backslashes. */
function isEscaped(text: string, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes++
  return backslashes % 2 === 1
}

function isEscapedByte(bytes: Buffer, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && bytes[at - backslashes - 1] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function split(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let from = 0
  for (let at = line.indexOf(delimiter); at >= 0; at = line.indexOf(delimiter, at + delimiter.length)) {
    if (isEscaped(line, from, at)) continue
    fields.push(line.slice(from, at))
    from = at + delimiter.length
  }
  return [...fields, line.slice(from)]
}

const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unescaped(field: string): string {
  if (!field.includes('\\')) return field
  const bytes: Buffer[] = []
  for (const [piece, octal, hex, other] of field.matchAll(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{1,2})|([\s\S]))|[^\\]+|\\$/g,
  )) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]))
    else if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]))
    else if (piece === '\\')
      throw new LineError('ends with a backslash that escapes nothing (a truncated file?)')
    else bytes.push(Buffer.from(other === undefined ? piece : (CONTROLS[other] ?? other)))
  }
  const whole = Buffer.concat(bytes)
  if (!isUtf8(whole)) throw new LineError('has escaped bytes that are not UTF-8')
  return whole.toString()
}

function uniqueNames(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new LineError(`names the column "${twice}" twice`)
  return names
}
