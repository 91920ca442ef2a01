import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { formatCount } from '../../values/format-count.ts'
import { isJson } from '../../values/is-json.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { malformedRow } from '../malformed.ts'
import { pushAll } from '../push-all.ts'
import { isRow, kindOf, type SourceRow } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import { parseJsonRow } from './json-row.ts'
import { RecordCutter } from './record-cutter.ts'

export interface DocumentOptions {
  /** The keys that lead from each document to its records. @default none: the document */
  readonly recordPath?: readonly string[] | undefined
  /** Return a `malformedRow` for a record that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
}

/**
 * Reads JSON documents, one after the other: bytes in, one record at a time out. A list of records is read
 * element by element, so that memory does not grow with the file. Numbers keep their spelling, as in
 * `readNdjson`.
 */
export function readJsonDocuments(
  name: string,
  { recordPath = [], keepsMalformed = false }: DocumentOptions = {},
): Transform {
  const decoder = new StringDecoder('utf8')
  const cutter = new RecordCutter(recordPath)
  let record = 0
  /** The first character was seen. */
  let hasBegun = false
  /** A byte was seen that is not UTF-8, which the decoder makes U+FFFD. */
  let isSuspect = false

  function* rowsOf(text: string): Generator<SourceRow> {
    checkBegin(text)
    yield* parseAll(cutter.cut(text))
  }

  /** Yields the last record, if the text is cut off after it, and then throws. */
  function* lastRow(): Generator<SourceRow> {
    if (!hasBegun) throw new SourceError(`${name}: ${EXPECTED}`)
    const { pending } = cutter
    if (isJson(pending)) yield parse(pending)
    yield* parseAll(cutter.end())
  }

  function* parseAll(records: Iterable<string>): Generator<SourceRow> {
    try {
      for (const json of records) yield parse(json)
    } catch (error) {
      throw error instanceof SourceError ? error : failure(error)
    }
  }

  function parse(json: string): SourceRow {
    record++
    if (cutter.fault !== undefined) return malformed(json, cutter.fault)
    if (isSuspect && json.includes('\ufffd')) return malformed(json, NOT_UTF8)
    let value: unknown
    try {
      value = parseJsonRow(json)
    } catch {
      return malformed(json, 'is not valid JSON') // the message of JSON.parse quotes the text
    }
    return isRow(value) ? value : malformed(json, `is ${kindOf(value)}, expected an object`)
  }

  function malformed(json: string, fault: string): SourceRow {
    const what = `${place(record)} ${fault}`
    if (!keepsMalformed)
      throw fault === NOT_UTF8 ? notUtf8(name, what) : new MalformedRecord(`${name}: ${what}`)
    return malformedRow(json, what)
  }

  function checkBegin(text: string): void {
    if (hasBegun) return
    const first = text.trimStart()[0]
    if (first !== undefined && !'[{'.includes(first)) throw new SourceError(`${name}: ${EXPECTED}`)
    hasBegun = first !== undefined
  }

  function failure(error: unknown): SourceError {
    if (cutter.isTooLong) {
      const hint = 'if it holds the rows in a list, name its key with --record-path'
      return new SourceError(`${name}: ${place(record + 1)} is longer than 64 MiB`, { hint })
    }
    const where = record === 0 ? 'before its first record' : `after record ${formatCount(record)}`
    const line = `near line ${formatCount(cutter.line)}`
    return new SourceError(`${name}: not valid JSON ${where}, ${line}, or cut off there`, { cause: error })
  }

  function place(number: number): string {
    return `record ${formatCount(number)} (line ${formatCount(cutter.line)})`
  }

  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      isSuspect ||= !isUtf8(chunk)
      pushAll(this, rowsOf(decoder.write(chunk)), done)
    },
    flush(done) {
      pushAll(this, lastRow(), done)
    },
  })
}

const NOT_UTF8 = 'is not valid UTF-8'
const EXPECTED = 'expected JSON: an array of objects, or objects one after the other'
