import { isUtf8 } from 'node:buffer'
import { type Readable, Transform } from 'node:stream'
import { JsonRecord } from '../../json/record.ts'
import { flatten } from '../../streams/flatten.ts'
import { runWork } from '../../streams/run-work.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { malformedRow } from '../malformed.ts'
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
}

const BATCH_ROWS = 1000

/**
 * Reads NDJSON: bytes in, arrays of lines out. Blank lines are skipped. Numbers keep their spelling.
 */
export function readNdjson(
  name: string,
  { keepsMalformed = false, batchRows = BATCH_ROWS, fill = true, scanner }: NdjsonOptions = {},
): Transform {
  let line = 0
  /** The line that is not complete. */
  let parts: Buffer[] = []
  let length = 0
  let batch: JsonLine[] = []
  let batchBytes = 0

  /** Takes whole lines. */
  function take(bytes: Buffer): void {
    const known = scanner && isUtf8(bytes) ? scanner : undefined
    for (let at = 0; at < bytes.length; ) {
      const block = known?.scan(bytes, at)
      for (let index = 0; block && index < known!.count; index++) {
        const record = new JsonRecord(block, index)
        add(record, record.byteLength)
      }
      if (known) {
        line += known.lines
        at = known.next
        if (at >= bytes.length) break
        // the module stopped at this line
        if (block) continue
      }
      const found = bytes.indexOf(LINE_FEED, at)
      const end = found < 0 ? bytes.length : found
      takeLine(bytes.subarray(at, end), known !== undefined)
      at = end + 1
    }
  }

  function takeLine(bytes: Buffer, isKnownUtf8: boolean): void {
    line++
    const text = isKnownUtf8 || isUtf8(bytes) ? bytes.toString() : undefined
    if (text === undefined) add(malformed(bytes, 'is not valid UTF-8'), bytes.length)
    else if (text.trim() !== '') add(parse(text), bytes.length)
  }

  function parse(text: string): SourceRow {
    let value: unknown
    try {
      value = parseJsonRow(text)
    } catch {
      // the message of JSON.parse quotes the line
      return malformed(text, 'is not valid JSON')
    }
    if (!isRow(value)) return malformed(text, `is ${kindOf(value)}, expected an object`)
    scanner?.addKeys(value)
    return value
  }

  function malformed(text: string | Buffer, fault: string): SourceRow {
    if (!keepsMalformed && typeof text !== 'string') throw notUtf8(name, `line ${line} ${fault}`, text)
    if (!keepsMalformed) {
      const options = line === 1 && /^\s*(?:\[|\{[^}]*$)/.test(String(text)) ? { hint: OF_SEVERAL_LINES } : {}
      throw new MalformedRecord(`${name}: line ${line} ${fault}`, options)
    }
    return malformedRow(text, `line ${line} ${fault}`)
  }

  function add(row: JsonLine, bytes: number): void {
    batch.push(row)
    batchBytes += bytes
    if (batch.length === batchRows || batchBytes >= BATCH_BYTES) pass()
  }

  function pass(): void {
    if (batch.length > 0) stream.push(batch)
    batch = []
    batchBytes = 0
  }

  /** Takes whole lines. Those before an error are passed on, too. */
  function takeAll(bytes: Buffer): void {
    try {
      take(bytes)
    } catch (error) {
      pass()
      throw error
    }
  }

  function addChunk(chunk: Buffer): void {
    // only the line that is in several chunks is copied
    const first = parts.length === 0 ? 0 : chunk.indexOf(LINE_FEED) + 1
    if (first > 0) takeAll(Buffer.concat([...takeParts(), chunk.subarray(0, first)]))
    const end = chunk.lastIndexOf(LINE_FEED) + 1
    if (end > first) takeAll(chunk.subarray(first, end))
    const rest = chunk.subarray(end)
    if (rest.length > 0) parts.push(rest)
    length += rest.length
    if (length > MAX_RECORD_BYTES) {
      throw new SourceError(`${name}: line ${line + 1} is longer than 64 MiB; is it NDJSON?`)
    }
    if (!fill) pass()
  }

  /** Returns the parts of a line that is complete now. */
  function takeParts(): Buffer[] {
    const taken = parts
    parts = []
    length = 0
    return taken
  }

  function finish(): void {
    takeAll(Buffer.concat(parts))
    pass()
  }

  const stream = new Transform({
    readableObjectMode: true,
    readableHighWaterMark: 2, // arrays
    transform: (chunk: Buffer, _encoding, done) => runWork(() => addChunk(chunk), done),
    flush: done => runWork(finish, done),
  })
  return stream
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
