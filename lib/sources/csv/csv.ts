import { isUtf8 } from 'node:buffer'
import { Transform, type TransformCallback } from 'node:stream'
import { FieldCutter } from '../../csv/field-cutter.ts'
import { CsvRecord, nulMessage } from '../../csv/record.ts'
import { PLACE_NUMBERS } from '../../csv/record-table.ts'
import { RecordTableBuilder } from '../../csv/record-table-builder.ts'
import { runWork } from '../../streams/run-work.ts'
import { holdChunk, keepChunk, keepUnlessWhole, releaseChunk } from '../../values/chunk-memory.ts'
import { plural } from '../../values/format-count.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { BATCH_BYTES } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import type { CsvOptions } from './csv-options.ts'
import type { Dialect } from './dialect.ts'
import { refuseExcelLine } from './excel-line.ts'
import { generatedHeader, type Header, headerOf } from './read-header.ts'
import { type Records, rowMaker } from './record-rows.ts'
import { RecordRepair } from './repair/repair-record.ts'
import { CsvSplitter } from './split/csv-splitter.ts'
import { LineEnds, otherLineEnd } from './split/line-ends.ts'
import { loadWasmSplitter } from './split/load-wasm-splitter.ts'
import { SplitError } from './split/split-error.ts'
import type { FoundRecords } from './split/wasm-splitter.ts'

/**
 * Reads CSV: bytes in, tables of records out. Blank lines are skipped, except in a file of one column, where
 * each is an empty field (but not before the header). Without a header the columns are called column_1,
 * column_2 and so on.
 * @param onHeader called before the first table comes
 */
export function readCsv(
  name: string,
  dialect: Dialect,
  options: CsvOptions,
  onHeader: (records: Records) => void,
): Transform {
  return new CsvReader(name, dialect, options, onHeader)
}

interface TakenRecord {
  readonly record: CsvRecord
  /** The record is valid UTF-8. Others are never repaired. */
  readonly isText: boolean
  /** The record has a quote inside an unquoted field, which is read as text. */
  readonly hasStrayQuote: boolean
  readonly hasNul: boolean
}

/**
 * The records before the number of columns is known are looked at one by one. After that, most go into their
 * table without a look at them.
 */
class CsvReader extends Transform {
  readonly #name: string
  readonly #dialect: Dialect
  readonly #options: CsvOptions
  readonly #onHeader: (records: Records) => void
  readonly #keepsMalformed: boolean
  readonly #cutter: FieldCutter
  readonly #repair: RecordRepair | undefined
  readonly #splitter: CsvSplitter
  readonly #table = new RecordTableBuilder()
  /** The records of the header so far. */
  readonly #headerRecords: CsvRecord[] = []
  #columnCount: number | undefined
  /** Before the first record: malformed ones, and blank lines, which are rows if there is one column. */
  #leading: TakenRecord[] = []
  /** The record that is being split has a quote inside an unquoted field, which `--lenient` reads as text. */
  #hasStrayQuote = false
  /** Looked at until the number of columns is known, and then if there is one. */
  readonly #lineEnds = new LineEnds()
  /** The record that comes next begins after a line end of another kind than the first. */
  #isAfterOther = false
  /** A byte was seen that is not UTF-8, or NUL: from then on each record is looked at. */
  #isSuspect = false

  constructor(name: string, dialect: Dialect, options: CsvOptions, onHeader: (records: Records) => void) {
    super({ readableObjectMode: true, readableHighWaterMark: 2 }) // tables
    const { keepsMalformed = false, lenient = false, sampled = [], headerLines = 1, repairs } = options
    this.#name = name
    this.#dialect = dialect
    this.#options = options
    this.#onHeader = onHeader
    this.#keepsMalformed = keepsMalformed
    this.#cutter = new FieldCutter({ ...dialect, nulls: [] }) // nothing is NULL in a header
    this.#repair = lenient
      ? new RecordRepair(dialect, name, sampled.slice(dialect.header ? headerLines : 0), repairs)
      : undefined
    this.#splitter = new CsvSplitter(dialect, this.#takeOne, {
      keepsMalformed: keepsMalformed || lenient,
      mayStop: !keepsMalformed,
      onStrayQuote: this.#repair && (() => (this.#hasStrayQuote = true)),
      linesBefore: options.linesBefore,
      wasm: loadWasmSplitter(),
      takeMany: this.#takeMany,
    })
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    runWork(() => {
      keepUnlessWhole(chunk)
      holdChunk(chunk)
      this.#isSuspect ||= !isUtf8(chunk) || chunk.includes(0)
      this.#split(() => this.#splitter.add(chunk), !this.#options.fill)
      releaseChunk(chunk)
    }, done)
  }

  override _flush(done: TransformCallback): void {
    runWork(() => this.#split(() => this.#end(), true), done)
  }

  /** Runs `work`. The records before an error are passed on too. */
  #split(work: () => void, flushes: boolean): void {
    try {
      work()
    } catch (error) {
      this.#pass()
      if (!(error instanceof SplitError)) throw error
      throw new MalformedRecord(`${this.#name}: line ${error.line} ${error.message}`)
    }
    if (flushes) this.#pass()
  }

  #end(): void {
    this.#splitter.end()
    const inHeader = this.#headerRecords.length
    if (this.#columnCount === undefined && inHeader > 0) {
      const asked = `--header-lines names ${this.#options.headerLines}`
      throw new SourceError(`${this.#name}: it has ${plural(inHeader, 'line')} for its header, and ${asked}`)
    }
    const [first] = this.#leading
    if (this.#columnCount !== undefined || !first) return
    const malformed = this.#leading.find(({ record }) => record.fault !== undefined)
    if (malformed) throw this.#errorOf(malformed.record)
    // a file of blank lines: rows of one empty field, as for `\copy`
    this.#begin(first.record)
  }

  /** Returns true if records are passed on without a look at them, so that no objects are made for them. */
  get #isPlain(): boolean {
    return this.#columnCount !== undefined && !this.#repair && !this.#isSuspect
  }

  readonly #takeOne = (chunk: Buffer, start: number, end: number, line: number, found?: string): void => {
    const endFault = this.#lineEndFault(chunk, end, line)
    const fault = found ?? endFault
    if (fault === undefined && this.#isPlain) {
      if (start !== end || this.#columnCount === 1) this.#add(chunk, start, end, line)
      return
    }
    keepChunk(chunk) // records that are looked at are kept in several places
    const badBytes = this.#isSuspect ? this.#notUtf8Fault(chunk, start, end, line) : undefined
    const record = new CsvRecord(chunk, start, end, line, badBytes ?? fault)
    const hasStrayQuote = this.#hasStrayQuote
    this.#hasStrayQuote = false
    const hasNul = this.#isSuspect && record.bytes.includes(0)
    this.#take({ record, isText: badBytes === undefined, hasStrayQuote, hasNul })
  }

  readonly #takeMany = (chunk: Buffer, found: FoundRecords, line: number): boolean => {
    const { places, count, shift, blanks } = found
    if (!this.#isPlain || (blanks > 0 && this.#columnCount !== 1)) return false
    if (this.#columnCount === 1 && this.#haveOtherEnds(chunk, found)) return false
    for (let from = 0; from < count; ) {
      const to = Math.min(count, from + this.#options.batchRows - this.#table.length)
      this.#table.addPlaces({ chunk, places, shift, line }, from, to)
      this.#passFull()
      from = to
    }
    return true
  }

  /** Returns true if records may have a fault because of a line end. */
  #haveOtherEnds(chunk: Buffer, { places, count, shift }: FoundRecords): boolean {
    for (let index = 0; index < count; index++) {
      if (this.#lineEnds.isOther(chunk, shift + places[index * PLACE_NUMBERS + 1]!)) return true
    }
    return this.#isAfterOther
  }

  /** Returns the fault of a record of one column that has a line end of another kind before or after it. */
  #lineEndFault(chunk: Buffer, end: number, line: number): string | undefined {
    if (this.#columnCount !== undefined && this.#columnCount !== 1) return undefined
    const isOther = this.#lineEnds.isOther(chunk, end)
    if (this.#columnCount === undefined) return undefined
    if (this.#repair) {
      if (isOther) this.#options.repairs?.add('ends', line, this.#name)
      return undefined
    }
    const wasOther = this.#isAfterOther
    this.#isAfterOther = isOther
    return isOther || wasOther ? otherLineEnd(line) : undefined
  }

  #notUtf8Fault(chunk: Buffer, start: number, end: number, line: number): string | undefined {
    if (isUtf8(chunk.subarray(start, end))) return undefined
    return `the record that begins on line ${line} is not valid ${this.#options.encoding ?? 'UTF-8'}`
  }

  #take(taken: TakenRecord): void {
    if (this.#columnCount !== undefined) this.#takeRow(taken)
    else if (this.#dialect.header) this.#takeHeader(taken)
    else this.#takeEarly(taken)
  }

  #takeRow(taken: TakenRecord): void {
    const record = this.#repaired(taken)
    if (record === undefined) return
    if (record.fault !== undefined && !this.#keepsMalformed) throw this.#errorOf(record)
    if (isBlank(record) && this.#columnCount !== 1) return
    const nul = taken.hasNul ? nulMessage(record) : undefined
    this.#add(record.chunk, record.start, record.end, record.line, record.fault ?? nul)
  }

  #takeHeader(taken: TakenRecord): void {
    const record = this.#repaired(taken)
    if (record?.fault !== undefined) throw this.#errorOf(record)
    if (record !== undefined && !isBlank(record)) this.#begin(record)
  }

  /** Takes a record without a header before it, which may show how many columns there are. */
  #takeEarly(taken: TakenRecord): void {
    const { record } = taken
    const isUnclear = record.fault !== undefined && this.#options.width === undefined
    if (isBlank(record) || isUnclear) {
      this.#leading.push(taken)
      return
    }
    this.#begin(record)
    this.#takeRow(taken)
  }

  /** Returns the record that is meant; undefined for the header once more. */
  #repaired({ record, isText, hasStrayQuote, hasNul }: TakenRecord): CsvRecord | undefined {
    return this.#repair && isText ? this.#repair.repaired(record, hasStrayQuote, hasNul) : record
  }

  /** Reads the names of the columns from the first record. Without a header it only has their number. */
  #begin(record: CsvRecord): void {
    const { header } = this.#dialect
    const { headerLines = 1, longDelimiter } = this.#options
    if (header) refuseExcelLine(record.toJSON(), this.#name)
    this.#headerRecords.push(record)
    if (header && this.#headerRecords.length < headerLines) return
    const { names, ...more } = this.#readHeader(record)
    this.#columnCount = names.length
    this.#repair?.begin(names.length, header ? this.#headerRecords : [])
    this.#onHeader({
      stream: this,
      format: this.#dialect,
      header: names,
      ...more,
      longDelimiter,
      keepsMalformed: this.#keepsMalformed,
      ...rowMaker(this.#dialect, names, longDelimiter),
    })
    const early = this.#leading
    this.#leading = []
    for (const each of early) if (names.length === 1 || each.record.fault !== undefined) this.#take(each)
  }

  #readHeader(first: CsvRecord): Header {
    if (!this.#dialect.header) return generatedHeader(this.#options.width ?? this.#cutter.cut(first))
    const { fitsNames, headerFault } = this.#options
    const rows = this.#headerRecords.map(record => this.#textsOf(record))
    return headerOf(rows, this.#name, { fitsNames, headerFault })
  }

  #textsOf(record: CsvRecord): string[] {
    const cutter = this.#cutter
    return Array.from({ length: cutter.cut(record) }, (_, field) => cutter.text(record.chunk, field)!)
  }

  #errorOf({ fault = '', bytes }: CsvRecord): SourceError {
    return isUtf8(bytes) ? new MalformedRecord(`${this.#name}: ${fault}`) : notUtf8(this.#name, fault, bytes)
  }

  #add(chunk: Buffer, start: number, end: number, line: number, fault?: string): void {
    this.#table.add(chunk, start, end, line, fault)
    this.#passFull()
  }

  #passFull(): void {
    const { batchRows, batchBytes = BATCH_BYTES } = this.#options
    if (this.#table.length === batchRows || this.#table.bytes >= batchBytes) this.#pass()
  }

  /** Passes the records so far on, as a table. */
  #pass(): void {
    const records = this.#table.take()
    if (records) this.push(records)
  }
}

function isBlank({ start, end }: CsvRecord): boolean {
  return start === end
}
