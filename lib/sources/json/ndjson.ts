import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { notUtf8 } from '../input/not-utf8.ts'
import { malformedRow } from '../malformed.ts'
import { pushAll } from '../push-all.ts'
import { isRow, kindOf, MAX_RECORD_BYTES, type SourceRow } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import { parseJsonRow } from './json-row.ts'

const LINE_FEED = 0x0a

/**
 * Reads NDJSON: bytes in, one object for each line out. Blank lines are skipped. Numbers keep their spelling.
 * @param keepsMalformed return a `malformedRow` for a line that is not a row, instead of failing
 */
export function readNdjson(name: string, keepsMalformed = false): Transform {
  let line = 0
  /** The line that is not complete. */
  let parts: Buffer[] = []
  let length = 0

  function* rowsOf(bytes: Buffer): Generator<SourceRow> {
    const texts = isUtf8(bytes) ? bytes.toString().split('\n') : linesOf(bytes)
    for (const text of texts) {
      line++
      if (typeof text !== 'string') yield malformed(text, 'is not valid UTF-8')
      else if (text.trim() !== '') yield parse(text)
    }
  }

  function parse(text: string): SourceRow {
    let value: unknown
    try {
      value = parseJsonRow(text)
    } catch {
      // the message of JSON.parse quotes the line
      return malformed(text, 'is not valid JSON')
    }
    return isRow(value) ? value : malformed(text, `is ${kindOf(value)}, expected an object`)
  }

  function malformed(text: string | Buffer, fault: string): SourceRow {
    if (!keepsMalformed && typeof text !== 'string') throw notUtf8(name, `line ${line} ${fault}`, text)
    if (!keepsMalformed) {
      const options = line === 1 && /^\s*(?:\[|\{[^}]*$)/.test(String(text)) ? { hint: OF_SEVERAL_LINES } : {}
      throw new MalformedRecord(`${name}: line ${line} ${fault}`, options)
    }
    return malformedRow(text, `line ${line} ${fault}`)
  }

  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      const end = chunk.lastIndexOf(LINE_FEED)
      const rest = chunk.subarray(end + 1)
      const whole = end < 0 ? undefined : Buffer.concat([...parts, chunk.subarray(0, end)])
      if (whole) [parts, length] = [[], 0]
      parts.push(rest)
      length += rest.length
      if (length > MAX_RECORD_BYTES) {
        const lines = line + (whole ? linesIn(whole) : 0) + 1
        done(new SourceError(`${name}: line ${lines} is longer than 64 MiB; is it NDJSON?`))
        return
      }
      if (whole) pushAll(this, rowsOf(whole), done)
      else done()
    },
    flush(done) {
      pushAll(this, rowsOf(Buffer.concat(parts)), done)
    },
  })
}

const OF_SEVERAL_LINES = 'if it is JSON of several lines, say --format json'

/** Returns each line as text, or as it is where it is not UTF-8. */
function* linesOf(bytes: Buffer): Generator<string | Buffer> {
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start)
    const end = found < 0 ? bytes.length : found
    const line = bytes.subarray(start, end)
    yield isUtf8(line) ? line.toString() : line
    start = end + 1
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 1
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}
