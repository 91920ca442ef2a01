import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { formatCount } from '../../values/format-count.ts'
import { isJson } from '../../values/is-json.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { malformedRow } from '../malformed.ts'
import { pushAll } from '../push-all.ts'
import type { RowLines } from '../row-lines.ts'
import { isRow, kindOf, type SourceRow } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import { parseJsonRow } from './json-row.ts'
import { RecordCutter } from './record-cutter.ts'
import type { RecordPath } from './record-path.ts'

export interface DocumentOptions {
  /** The keys that lead from each document to its records. @default none: the document */
  readonly recordPath?: RecordPath | undefined
  /** The beginning of the text. Messages name the lists of objects in it. */
  readonly beginning?: string | undefined
  /** Return a `malformedRow` for a record that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
  /** Takes the line of each row. */
  readonly rowLines?: RowLines | undefined
}

/**
 * Reads JSON documents, one after the other: bytes in, one record at a time out. A list of records is read
 * element by element, so that memory does not grow with the file. Numbers keep their spelling, as in
 * `readNdjson`.
 */
export function readJsonDocuments(name: string, options: DocumentOptions = {}): Transform {
  const decoder = new StringDecoder('utf8')
  const documents = new DocumentParser(name, options)
  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      if (!isUtf8(chunk)) documents.suspect()
      pushAll(this, documents.rowsOf(decoder.write(chunk)), done)
    },
    flush(done) {
      pushAll(this, documents.lastRow(), done)
    },
  })
}

/** Makes rows of the records of documents. */
class DocumentParser {
  readonly #name: string
  readonly #keepsMalformed: boolean
  readonly #cutter: RecordCutter
  readonly #rowLines: RowLines | undefined
  #record = 0
  /** The first character was seen. */
  #hasBegun = false
  /** A byte was seen that is not UTF-8, which the decoder makes U+FFFD. */
  #isSuspect = false

  constructor(
    name: string,
    { recordPath = [], beginning, keepsMalformed = false, rowLines }: DocumentOptions,
  ) {
    this.#name = name
    this.#keepsMalformed = keepsMalformed
    this.#rowLines = rowLines
    this.#cutter = new RecordCutter(recordPath, beginning)
  }

  /** Notes that bytes of the text were not UTF-8, or that a chunk has ended within a character. */
  suspect(): void {
    this.#isSuspect = true
  }

  /** Yields the rows that the text completes. */
  *rowsOf(text: string): Generator<SourceRow> {
    this.#checkBegin(text)
    yield* this.#parseAll(this.#cutter.cut(text))
  }

  /** Yields the last record, if the text is cut off after it, and then throws. */
  *lastRow(): Generator<SourceRow> {
    if (!this.#hasBegun) throw this.#noJson()
    const { pending } = this.#cutter
    if (isJson(pending)) yield this.#parse(pending)
    yield* this.#parseAll(this.#cutter.end())
  }

  #checkBegin(text: string): void {
    if (this.#hasBegun) return
    const first = text.trimStart()[0]
    if (first !== undefined && !'[{'.includes(first)) throw this.#noJson()
    this.#hasBegun = first !== undefined
  }

  #noJson(): SourceError {
    const expected = 'expected JSON: an array of objects, or objects one after the other'
    return new SourceError(`${this.#name}: ${expected}`, { hint: IF_CSV })
  }

  *#parseAll(records: Iterable<string>): Generator<SourceRow> {
    try {
      for (const json of records) yield this.#parse(json)
    } catch (error) {
      throw error instanceof SyntaxError ? this.#failure(error) : error
    }
  }

  #parse(json: string): SourceRow {
    this.#record++
    this.#rowLines?.add(this.#cutter.line)
    const { fault } = this.#cutter
    if (fault !== undefined) return this.#malformed(json, fault)
    if (this.#isSuspect && json.includes('\ufffd')) return this.#malformed(json, NOT_UTF8)
    let value: unknown
    try {
      value = parseJsonRow(json)
    } catch {
      return this.#malformed(json, 'is not valid JSON') // the message of JSON.parse quotes the text
    }
    return isRow(value) ? value : this.#malformed(json, `is ${kindOf(value)}, expected an object`)
  }

  #malformed(json: string, fault: string): SourceRow {
    const what = `${this.#place(this.#record)} ${fault}`
    if (this.#keepsMalformed) return malformedRow(json, what)
    throw fault === NOT_UTF8 ? notUtf8(this.#name, what) : new MalformedRecord(`${this.#name}: ${what}`)
  }

  /** Returns the error for a text that cannot be cut into records. */
  #failure(cause: unknown): SourceError {
    if (this.#cutter.isTooLong) {
      const hint = 'if it holds the rows in a list, name its key with --record-path'
      return new SourceError(`${this.#name}: ${this.#place(this.#record + 1)} is longer than 64 MiB`, {
        hint,
      })
    }
    const where = this.#record === 0 ? 'before its first record' : `after record ${formatCount(this.#record)}`
    const line = `near line ${formatCount(this.#cutter.line)}`
    return new SourceError(`${this.#name}: not valid JSON ${where}, ${line}, or cut off there`, { cause })
  }

  #place(record: number): string {
    return `record ${formatCount(record)} (line ${formatCount(this.#cutter.line)})`
  }
}

const NOT_UTF8 = 'is not valid UTF-8'

/** The advice for a text that does not begin as JSON does. */
export const IF_CSV = 'if it is CSV, say --format csv'
