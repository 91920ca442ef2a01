import { isUtf8 } from 'node:buffer'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { LineTableBuilder } from '../../json/line-table-builder.ts'
import { type JsonBlock, JsonRecord } from '../../json/record.ts'
import { flatten } from '../../streams/flatten.ts'
import { runWork } from '../../streams/run-work.ts'
import { holdChunk, keepUnlessWhole, releaseChunk } from '../../values/chunk-memory.ts'
import { isJson } from '../../values/is-json.ts'
import { LINE_FEED } from '../../values/text/ascii.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { faultOf, malformedRow } from '../malformed.ts'
import { RowLines } from '../row-lines.ts'
import { BATCH_BYTES, isRow, kindOf, MAX_RECORD_BYTES, type SourceRow } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import { IF_CSV } from './json-documents.ts'
import { parseJsonRow } from './json-row.ts'
import type { LineScanner } from './lines/line-scanner.ts'

export interface NdjsonOptions {
  /** Return a `malformedRow` for a line that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
  /** The maximum of lines in a table. @default 1000 */
  readonly batchRows?: number | undefined
  /**
   * Fill tables from several chunks. If not, the lines of a chunk are passed on at once, for a pipe that may
   * pause. @default true
   */
  readonly fill?: boolean | undefined
  /** Finds the lines that need not be parsed. @default undefined: all lines are parsed */
  readonly scanner?: LineScanner | undefined
  /** Takes the line of each row. */
  readonly rowLines?: RowLines | undefined
}

const BATCH_ROWS = 1000

/** Reads NDJSON: bytes in, tables of lines out. Blank lines are skipped. Numbers keep their spelling. */
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
  /** The line that is not complete. Its parts are copies, because the memory of a chunk is used again. */
  #parts: Buffer[] = []
  #partsBytes = 0
  readonly #table = new LineTableBuilder()

  constructor(
    name: string,
    { keepsMalformed = false, batchRows = BATCH_ROWS, fill = true, scanner, rowLines }: NdjsonOptions,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 2 }) // tables
    this.#name = name
    this.#keepsMalformed = keepsMalformed
    this.#batchRows = batchRows
    this.#fill = fill
    this.#scanner = scanner
    this.#rowLines = rowLines ?? new RowLines()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    runWork(() => {
      keepUnlessWhole(chunk)
      holdChunk(chunk)
      this.#addChunk(chunk)
      releaseChunk(chunk)
    }, done)
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
    if (rest.length > 0) this.#parts.push(Buffer.from(rest))
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
      at = next > at ? next : this.#takeOne(scanner, bytes, at)
    }
  }

  /** Takes the lines that need not be parsed. Returns the index after them, where the module stopped. */
  #scan(scanner: LineScanner, bytes: Buffer, at: number): number {
    const block = scanner.scan(bytes, at)
    if (block) {
      this.#noteLines(block, scanner, at)
      this.#addLines(block, scanner.count)
    }
    this.#line += scanner.lines
    return scanner.next
  }

  /** Notes on which line of the file each line of a block is. */
  #noteLines(block: JsonBlock, { lines, count }: LineScanner, at: number): void {
    let line = this.#line + 1
    if (lines === count) {
      this.#rowLines.add(line, count)
      return
    }
    for (let index = 0, from = at; index < count; index++) {
      const start = block.startOf(index)
      line += countFeeds(block.bytes, from, start)
      from = start
      this.#rowLines.add(line)
    }
  }

  #addLines(block: JsonBlock, count: number): void {
    block.hold()
    for (let from = 0; from < count; ) {
      const to = Math.min(count, from + this.#batchRows - this.#table.length)
      this.#table.addLines({ block, from, to })
      this.#passFull()
      from = to
    }
    block.release()
  }

  /**
   * Takes the line that begins at an index, and returns the index after it; or the same index, where the
   * scanner finds the line now that it knows its keys.
   * @param scanner undefined where the bytes may not be UTF-8
   */
  #takeOne(scanner: LineScanner | undefined, bytes: Buffer, at: number): number {
    const found = bytes.indexOf(LINE_FEED, at)
    const end = found < 0 ? bytes.length : found
    const line = bytes.subarray(at, end)
    this.#line++
    const row = this.#parse(line, scanner !== undefined)
    if (row && scanner && faultOf(row) === undefined && scanner.addKeys(row)) {
      this.#line--
      return at
    }
    if (row) this.#addRow(row, line.length)
    return end + 1
  }

  /** Returns the row of a line, or undefined if it is blank. */
  #parse(line: Buffer, isKnownUtf8: boolean): SourceRow | undefined {
    if (!isKnownUtf8 && !isUtf8(line)) return this.#malformed(line, 'is not valid UTF-8')
    const text = line.toString()
    if (text.trim() === '') return undefined
    let value: unknown
    try {
      value = parseJsonRow(text)
    } catch {
      // the message of JSON.parse quotes the line
      return this.#malformed(text, 'is not valid JSON')
    }
    return isRow(value) ? value : this.#malformed(text, `is ${kindOf(value)}, expected an object`)
  }

  #malformed(text: string | Buffer, problem: string): SourceRow {
    const fault = `line ${this.#line} ${problem}`
    if (this.#keepsMalformed) return malformedRow(text, fault)
    if (typeof text !== 'string') throw notUtf8(this.#name, fault, text)
    const hint = this.#line === 1 ? hintOf(text) : undefined
    throw new MalformedRecord(`${this.#name}: ${fault}`, hint === undefined ? {} : { hint })
  }

  #addRow(row: SourceRow, bytes: number): void {
    this.#rowLines.add(this.#line)
    this.#table.addRow(row, bytes)
    this.#passFull()
  }

  #passFull(): void {
    if (this.#table.length === this.#batchRows || this.#table.bytes >= BATCH_BYTES) this.#pass()
  }

  /** Passes the lines so far on, as a table. */
  #pass(): void {
    const lines = this.#table.take()
    if (lines) this.push(lines)
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
export function parsedLine(line: object): SourceRow {
  return (line instanceof JsonRecord ? parseJsonRow(line.text) : line) as SourceRow
}

/** Returns which format the file may have instead, if its first line shows one. */
function hintOf(line: string): string | undefined {
  if (/^\s*(?:\[|\{[^}]*$)/.test(line)) return 'if it is JSON of several lines, say --format json'
  return isJson(line) || /^\s*\{/.test(line) ? undefined : IF_CSV
}
