import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { FieldCutter } from '../../csv/field-cutter.ts'
import { CsvRecord } from '../../csv/record.ts'
import { RecordTableBuilder } from '../../csv/record-table-builder.ts'
import { runWork } from '../../streams/run-work.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import type { Repairs } from '../repairs.ts'
import { BATCH_BYTES } from '../rows.ts'
import { MalformedRecord, type SourceError } from '../source-error.ts'
import type { Dialect } from './dialect.ts'
import { refuseExcelLine } from './excel-line.ts'
import { generatedHeader, type HeaderOptions, headerOf } from './read-header.ts'
import { type Records, rowMaker } from './record-rows.ts'
import { RecordRepair } from './repair/repair-record.ts'
import type { SampledRecord } from './sniff/sample-records.ts'
import { CsvSplitter } from './split/csv-splitter.ts'
import { loadWasmSplitter } from './split/load-wasm-splitter.ts'
import { SplitError } from './split/split-error.ts'
import type { FoundRecords } from './split/wasm-splitter.ts'

export interface CsvOptions extends HeaderOptions {
  /** The maximum of records in a table. */
  batchRows: number
  /**
   * Fill tables from several chunks. If not, the records of a chunk are passed on at once, for a pipe that
   * may pause.
   */
  fill: boolean
  /** Pass on malformed records, and those that are not UTF-8, with their fault. @default false: an error */
  keepsMalformed?: boolean | undefined
  /** Repair records where there is no doubt about what they mean. @default false */
  lenient?: boolean | undefined
  /** Counts the repairs. */
  repairs?: Repairs | undefined
  /** The first records, from the header on, which show what those look like that need no repair. */
  sampled?: readonly SampledRecord[] | undefined
  /** The records of the header, whose texts are joined. @default 1 */
  headerLines?: number | undefined
  /** Lines of the file that were skipped. @default 0 */
  linesBefore?: number | undefined
  /** The encoding of the file, for messages. @default UTF-8 */
  encoding?: string | undefined
  /** The delimiter in the file, if the dialect's takes its place. */
  longDelimiter?: string | undefined
}

/**
 * Reads CSV: bytes in, tables of records out. Blank lines are skipped, except in a file of one column, where
 * each is an empty field (but not before the header). Without a header the columns are called column1,
 * column2 and so on.
 * @param onHeader called before the first table comes
 */
export function readCsv(
  name: string,
  dialect: Dialect,
  { batchRows, fill, keepsMalformed = false, lenient = false, repairs, ...more }: CsvOptions,
  onHeader: (records: Records) => void,
): Transform {
  const cutter = new FieldCutter({ ...dialect, nulls: [] }) // nothing is NULL in a header
  const {
    fitsNames,
    headerFault,
    headerLines = 1,
    sampled = [],
    linesBefore,
    longDelimiter,
    encoding = 'UTF-8',
  } = more
  /** The records of the header so far. */
  const headerRecords: CsvRecord[] = []
  let columnCount: number | undefined
  const table = new RecordTableBuilder()
  /** Before the first record: malformed ones, and blank lines, which are rows if there is one column. */
  let leading: CsvRecord[] = []
  /** A byte was seen that is not UTF-8: from then on each record is looked at. */
  let isSuspect = false
  const repair = lenient
    ? new RecordRepair(dialect, name, sampled.slice(dialect.header ? headerLines : 0), repairs)
    : undefined
  const splitter = new CsvSplitter(dialect, found, {
    keepsMalformed: keepsMalformed || lenient,
    mayStop: !keepsMalformed,
    onStrayQuote: repair?.noteStrayQuote,
    linesBefore,
    wasm: loadWasmSplitter(),
    takeMany,
  })

  /** Returns true if nearly nothing is to be done about a record: most need no look, and then no object. */
  const isPlain = (): boolean => columnCount !== undefined && !repair && !isSuspect

  function found(chunk: Buffer, start: number, end: number, line: number, fault: string | undefined): void {
    if (fault === undefined && isPlain()) {
      if (start !== end || columnCount === 1) add(chunk, start, end, line)
      return
    }
    const badBytes = isSuspect ? notUtf8Fault(chunk, start, end, line) : undefined
    take(new CsvRecord(chunk, start, end, line, badBytes ?? fault))
  }

  function takeMany(chunk: Buffer, { places, count, shift, blanks }: FoundRecords, line: number): boolean {
    if (!isPlain() || (blanks > 0 && columnCount !== 1)) return false
    for (let from = 0; from < count; ) {
      const to = Math.min(count, from + batchRows - table.length)
      table.addPlaces({ chunk, places, shift, line }, from, to)
      flushFull()
      from = to
    }
    return true
  }

  function notUtf8Fault(chunk: Buffer, start: number, end: number, line: number): string | undefined {
    if (isUtf8(chunk.subarray(start, end))) return undefined
    return `the record that begins on line ${line} is not valid ${encoding}`
  }

  function take(taken: CsvRecord): void {
    const isEarly = columnCount === undefined && !dialect.header && taken.fault !== undefined
    const record = repair && !isEarly ? repair.repaired(taken) : taken
    if (record === undefined) return
    if (record.fault !== undefined && !keepsMalformed && !isEarly) throw failure(record)
    const blank = record.start === record.end
    if (columnCount === undefined) {
      if (record.fault !== undefined && dialect.header) throw failure(record)
      if (blank || record.fault !== undefined) {
        if (!dialect.header) leading.push(record)
        return
      }
      begin(record)
      if (dialect.header) return
    }
    if (blank && columnCount !== 1) return
    add(record.chunk, record.start, record.end, record.line, record.fault)
  }

  /** Reads the names of the columns from the first record. Without a header it only has their number. */
  function begin(record: CsvRecord): void {
    if (dialect.header) refuseExcelLine(record.toJSON(), name)
    headerRecords.push(record)
    if (dialect.header && headerRecords.length < headerLines) return
    const { names, ...header } = dialect.header
      ? headerOf(headerRecords.map(textsOf), name, { fitsNames, headerFault })
      : generatedHeader(cutter.cut(record))
    columnCount = names.length
    repair?.begin(columnCount, dialect.header ? headerRecords : [])
    onHeader({
      stream,
      format: dialect,
      header: names,
      ...header,
      longDelimiter,
      keepsMalformed,
      ...rowMaker(dialect, names, longDelimiter),
    })
    const early = leading
    leading = []
    for (const each of early) if (columnCount === 1 || each.fault !== undefined) take(each)
  }

  function textsOf(record: CsvRecord): string[] {
    return Array.from({ length: cutter.cut(record) }, (_, field) => cutter.text(record.chunk, field)!)
  }

  function end(): void {
    splitter.end()
    if (columnCount !== undefined || !leading[0]) return
    const malformed = leading.find(({ fault }) => fault !== undefined)
    if (malformed) throw failure(malformed)
    // a file of blank lines: rows of one empty field, as for `\copy`
    begin(leading[0])
  }

  function failure({ fault = '', bytes }: CsvRecord): SourceError {
    return isUtf8(bytes) ? new MalformedRecord(`${name}: ${fault}`) : notUtf8(name, fault, bytes)
  }

  function add(chunk: Buffer, start: number, end: number, line: number, fault?: string): void {
    table.add(chunk, start, end, line, fault)
    flushFull()
  }

  function flushFull(): void {
    if (table.length === batchRows || table.bytes >= BATCH_BYTES) flush()
  }

  function flush(): void {
    const records = table.take()
    if (records) stream.push(records)
  }

  /** Runs `work`. The records before an error are passed on too. */
  function split(work: () => void, flushes: boolean): void {
    try {
      work()
    } catch (error) {
      flush()
      if (!(error instanceof SplitError)) throw error
      throw new MalformedRecord(`${name}: line ${error.line} ${error.message}`)
    }
    if (flushes) flush()
  }

  const stream = new Transform({
    readableObjectMode: true,
    readableHighWaterMark: 2, // tables
    transform: (chunk: Buffer, _encoding, done) =>
      runWork(() => {
        isSuspect ||= !isUtf8(chunk)
        split(() => splitter.add(chunk), !fill)
      }, done),
    flush: done => runWork(() => split(end, true), done),
  })
  return stream
}
