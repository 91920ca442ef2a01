import { isUtf8 } from 'node:buffer'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { JsonRecord } from '../../json/record.ts'
import { flatten } from '../../streams/flatten.ts'
import { runWork } from '../../streams/run-work.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { malformedRow } from '../malformed.ts'
import { RowLines } from '../row-lines.ts'
import { BATCH_BYTES, isRow, kindOf, MAX_RECORD_BYTES, type SourceRow } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import { parseJsonRow } from './json-row.ts'
import type { LineScanner } from './lines/line-scanner.ts'

const LINE_FEED = 0x0a

/** A line: an object that is not parsed yet, or the row itself. */
export type JsonLine = JsonRecord | SourceRow

export interface NdjsonOptions {
  /** Return a `malformedRow` for a line that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
  /** The maximum of lines in an array. @default 1000 */
  readonly batchRows?: number | undefined
  /**
   * Fill arrays from several chunks. If not, the lines of a chunk are passed on at once, for a pipe that may
   * pause. @default true
   */
  readonly fill?: boolean | undefined
  /** Finds the lines that need not be parsed. @default undefined: all lines are parsed */
  readonly scanner?: LineScanner | undefined
  /** Takes the line of each row. */
  readonly rowLines?: RowLines | undefined
}

const BATCH_ROWS = 1000

/** Reads NDJSON: bytes in, arrays of lines out. Blank lines are skipped. Numbers keep their spelling. */
export function readNdjson(name: string, options: NdjsonOptions = {}): Transform {
  return new NdjsonReader(name, options)
}

class NdjsonReader extends Transform {
  readonly #name: string
  readonly #keepsMalformed: boolean
  readonly #batchRows: number
  readonly #fill: boolean
  readonly #scanner: LineScanner | undefined
  readonly #rowLines: RowLines
  /** The number of lines so far. */
  #line = 0
  /** The line that is not complete. */
  #parts: Buffer[] = []
  #partsBytes = 0
  #batch: JsonLine[] = []
  #batchBytes = 0

  constructor(
    name: string,
    { keepsMalformed = false, batchRows = BATCH_ROWS, fill = true, scanner, rowLines }: NdjsonOptions,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 2 }) // arrays
    this.#name = name
    this.#keepsMalformed = keepsMalformed
    this.#batchRows = batchRows
    this.#fill = fill
    this.#scanner = scanner
    this.#rowLines = rowLines ?? new RowLines()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    runWork(() => this.#addChunk(chunk), done)
  }

  override _flush(done: TransformCallback): void {
    runWork(() => {
      this.#takeAll(Buffer.concat(this.#parts))
      this.#pass()
    }, done)
  }

  #addChunk(chunk: Buffer): void {
    // only the line that is in several chunks is copied
    const first = this.#parts.length === 0 ? 0 : chunk.indexOf(LINE_FEED) + 1
    if (first > 0) this.#takeAll(Buffer.concat([...this.#takeParts(), chunk.subarray(0, first)]))
    const end = chunk.lastIndexOf(LINE_FEED) + 1
    if (end > first) this.#takeAll(chunk.subarray(first, end))
    const rest = chunk.subarray(end)
    if (rest.length > 0) this.#parts.push(rest)
    this.#partsBytes += rest.length
    if (this.#partsBytes > MAX_RECORD_BYTES) {
      throw new SourceError(`${this.#name}: line ${this.#line + 1} is longer than 64 MiB; is it NDJSON?`)
    }
    if (!this.#fill) this.#pass()
  }

  /** Returns the parts of a line that is complete now. */
  #takeParts(): Buffer[] {
    const taken = this.#parts
    this.#parts = []
    this.#partsBytes = 0
    return taken
  }

  /** Takes whole lines. Those before an error are passed on, too. */
  #takeAll(bytes: Buffer): void {
    try {
      this.#take(bytes)
    } catch (error) {
      this.#pass()
      throw error
    }
  }

  #take(bytes: Buffer): void {
    const scanner = this.#scanner && isUtf8(bytes) ? this.#scanner : undefined
    for (let at = 0; at < bytes.length; ) {
      const next = scanner ? this.#scan(scanner, bytes, at) : at
      if (next > at) at = next
      else at = this.#takeOne(bytes, at, scanner !== undefined)
    }
  }

  /** Takes the lines that need not be parsed. Returns the index after them, where the module stopped. */
  #scan(scanner: LineScanner, bytes: Buffer, at: number): number {
    const block = scanner.scan(bytes, at)
    const hasBlanks = scanner.lines > scanner.count
    let line = this.#line + 1
    let from = at
    for (let index = 0; block && index < scanner.count; index++) {
      const record = new JsonRecord(block, index)
      if (hasBlanks) line += countFeeds(bytes, from, record.start)
      from = record.start
      this.#add(record, record.byteLength, hasBlanks ? line : line + index)
    }
    this.#line += scanner.lines
    return scanner.next
  }

  /** Takes the line that begins at an index. Returns the index after it. */
  #takeOne(bytes: Buffer, at: number, isKnownUtf8: boolean): number {
    this.#line++
    const found = bytes.indexOf(LINE_FEED, at)
    const end = found < 0 ? bytes.length : found
    const line = bytes.subarray(at, end)
    const text = isKnownUtf8 || isUtf8(line) ? line.toString() : undefined
    if (text === undefined) this.#add(this.#malformed(line, 'is not valid UTF-8'), line.length, this.#line)
    else if (text.trim() !== '') this.#add(this.#parse(text), line.length, this.#line)
    return end + 1
  }

  #parse(text: string): SourceRow {
    let value: unknown
    try {
      value = parseJsonRow(text)
    } catch {
      // the message of JSON.parse quotes the line
      return this.#malformed(text, 'is not valid JSON')
    }
    if (!isRow(value)) return this.#malformed(text, `is ${kindOf(value)}, expected an object`)
    this.#scanner?.addKeys(value)
    return value
  }

  #malformed(text: string | Buffer, problem: string): SourceRow {
    const fault = `line ${this.#line} ${problem}`
    if (this.#keepsMalformed) return malformedRow(text, fault)
    if (typeof text !== 'string') throw notUtf8(this.#name, fault, text)
    const isBegun = this.#line === 1 && /^\s*(?:\[|\{[^}]*$)/.test(text)
    throw new MalformedRecord(`${this.#name}: ${fault}`, isBegun ? { hint: OF_SEVERAL_LINES } : {})
  }

  #add(line: JsonLine, bytes: number, number: number): void {
    this.#rowLines.add(number)
    this.#batch.push(line)
    this.#batchBytes += bytes
    if (this.#batch.length === this.#batchRows || this.#batchBytes >= BATCH_BYTES) this.#pass()
  }

  #pass(): void {
    if (this.#batch.length > 0) this.push(this.#batch)
    this.#batch = []
    this.#batchBytes = 0
  }
}

function countFeeds(bytes: Buffer, from: number, to: number): number {
  let feeds = 0
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0 && at < to; at = bytes.indexOf(LINE_FEED, at + 1))
    feeds++
  return feeds
}

/** Returns lines as rows, which are read only when the rows are. */
export function rowsOfLines(lines: Readable): Readable {
  return flatten(lines, parsedLine)
}

/** Returns the row of a line. */
export function parsedLine(line: JsonLine): SourceRow {
  return line instanceof JsonRecord ? (parseJsonRow(line.text) as SourceRow) : line
}

const OF_SEVERAL_LINES = 'if it is JSON of several lines, say --format json'
