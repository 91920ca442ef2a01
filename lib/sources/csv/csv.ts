import { isUtf8 } from 'node:buffer'
import { Readable, Transform } from 'node:stream'
import { FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvFormat, CsvRecord, raggedMessage } from '../../csv/record.ts'
import { runWork } from '../../streams/run-work.ts'
import { malformedRow, RAW_KEY, rawText } from '../malformed.ts'
import type { Repairs } from '../repairs.ts'
import { firstRepeated } from '../repeated.ts'
import { type SourceRow, setOwn } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { CsvSplitter, SplitError } from './csv-splitter.ts'
import type { Dialect } from './dialect.ts'
import { refuseExcelLine } from './excel-line.ts'
import { columnNames } from './header-names.ts'
import { RecordRepair } from './repair/repair-record.ts'

/** The records of a CSV file, and functions that make rows of them. */
export interface Records {
  /** Arrays of `CsvRecord`s. Destroying it closes the file. */
  readonly stream: Readable
  readonly format: CsvFormat
  readonly header: readonly string[]
  /** Names of the header that the file leaves empty, such as `column7`. */
  readonly unnamed: readonly string[]
  /** The names that were changed, so that they can be columns, a line each. */
  readonly notes: readonly string[]
  /**
   * Returns a record as an object. Every value is a string or null. As in `\copy … csv`, an unquoted empty
   * field (or the dialect's text for NULL) is NULL, and a quoted empty field is the empty string. A ragged
   * record lacks its last columns, or has more, which get names such as column7.
   * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-CSV-FORMAT
   */
  readonly rowOf: (record: CsvRecord) => SourceRow
  /** Returns the fault of a record that is malformed, or has not as many fields as the file has columns. */
  readonly raggedness: (record: CsvRecord) => string | undefined
  /** Malformed records are among the others, to be rejected. */
  readonly keepsMalformed: boolean
}

export interface CsvOptions {
  /** The maximum of records in an array. */
  batchRows: number
  /**
   * Fill arrays from several chunks. If not, the records of a chunk are passed on at once, for a pipe that
   * may pause.
   */
  fill: boolean
  /** Pass on malformed records, and those that are not UTF-8, with their fault. @default false: an error */
  keepsMalformed?: boolean | undefined
  /** Repair records where there is no doubt about what they mean. @default false */
  lenient?: boolean | undefined
  /** Counts the repairs. */
  repairs?: Repairs | undefined
  /** Make names that can be columns of those that cannot. @default false: repeated ones are an error */
  fitsNames?: boolean | undefined
  /** The records of the header, whose texts are joined. @default 1 */
  headerLines?: number | undefined
  /** Lines of the file that were skipped. @default 0 */
  linesBefore?: number | undefined
  /** The delimiter in the file, if the dialect's takes its place. */
  longDelimiter?: string | undefined
}

/**
 * Reads CSV: bytes in, arrays of records out. Blank lines are skipped, except in a file of one column, where
 * each is an empty field (but not before the header). Without a header the columns are called column1,
 * column2 and so on.
 * @param onHeader called before the first array comes
 */
export function readCsv(
  name: string,
  dialect: Dialect,
  { batchRows, fill, keepsMalformed = false, lenient = false, repairs, ...more }: CsvOptions,
  onHeader: (records: Records) => void,
): Transform {
  const cutter = new FieldCutter({ ...dialect, nulls: [] }) // nothing is NULL in a header
  const { fitsNames = false, headerLines = 1, linesBefore, longDelimiter } = more
  /** The records of the header so far. */
  const headerRows: string[][] = []
  let columnCount: number | undefined
  let batch: CsvRecord[] = []
  /** Before the first record: malformed ones, and blank lines, which are rows if there is one column. */
  let leading: CsvRecord[] = []
  /** A byte was seen that is not UTF-8: from then on each record is looked at. */
  let isSuspect = false
  const repair = lenient ? new RecordRepair(dialect, name, repairs) : undefined
  const splitter = new CsvSplitter(dialect, checked, {
    keepsMalformed: keepsMalformed || lenient,
    onStrayQuote: repair?.noteStrayQuote,
    linesBefore,
  })

  function checked(record: CsvRecord): void {
    if (!isSuspect || isUtf8(record.bytes)) {
      take(record)
      return
    }
    const { chunk, start, end, line } = record
    take(new CsvRecord(chunk, start, end, line, `the record that ends on line ${line} is not valid UTF-8`))
  }

  function take(taken: CsvRecord): void {
    const isEarly = columnCount === undefined && !dialect.header && taken.fault !== undefined
    const record = repair && !isEarly ? repair.repaired(taken, columnCount) : taken
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
    add(record)
  }

  /** Reads the names of the columns from the first record. Without a header it only has their number. */
  function begin(record: CsvRecord): void {
    if (dialect.header) refuseExcelLine(record.toJSON(), name)
    headerRows.push(
      Array.from({ length: cutter.cut(record) }, (_, field) => cutter.text(record.chunk, field)!),
    )
    if (dialect.header && headerRows.length < headerLines) return
    const joined = joinedRows(headerRows)
    const fitting = dialect.header && fitsNames ? columnNames(joined) : { names: joined, changes: [] }
    const { names: first, changes: notes } = fitting
    if (dialect.header) checkUnique(first, name)
    const header = first.map((column, field) => {
      if (!dialect.header) return columnName(field)
      return isNamed(column) ? column : nameBeyond(first, field)
    })
    const unnamed = dialect.header ? header.filter((_, field) => !isNamed(first[field]!)) : []
    columnCount = header.length
    onHeader({
      stream,
      format: dialect,
      header,
      unnamed,
      notes,
      keepsMalformed,
      ...rowMaker(dialect, header, longDelimiter),
    })
    const early = leading
    leading = []
    for (const each of early) if (columnCount === 1 || each.fault !== undefined) take(each)
  }

  function end(): void {
    splitter.end()
    if (columnCount !== undefined || !leading[0]) return
    const malformed = leading.find(({ fault }) => fault !== undefined)
    if (malformed) throw failure(malformed)
    // a file of blank lines: rows of one empty field, as for `\copy`
    begin(leading[0])
  }

  function failure({ fault }: CsvRecord): SourceError {
    return new SourceError(`${name}: ${fault}`)
  }

  function add(record: CsvRecord): void {
    batch.push(record)
    if (batch.length === batchRows) flush()
  }

  function flush(): void {
    if (batch.length === 0) return
    stream.push(batch)
    batch = []
  }

  /** Runs `work`. The records before an error are passed on too. */
  function split(work: () => void, flushes: boolean): void {
    try {
      work()
    } catch (error) {
      flush()
      if (!(error instanceof SplitError)) throw error
      throw new SourceError(`${name}: line ${error.line} ${error.message}`)
    }
    if (flushes) flush()
  }

  const stream = new Transform({
    readableObjectMode: true,
    readableHighWaterMark: 2, // arrays
    transform: (chunk: Buffer, _encoding, done) =>
      runWork(() => {
        isSuspect ||= keepsMalformed && !isUtf8(chunk)
        split(() => splitter.add(chunk), !fill)
      }, done),
    flush: done => runWork(() => split(end, true), done),
  })
  return stream
}

/**
 * Returns the records as rows. The records are read only when the rows are. A ragged record is an error; if
 * malformed records are kept, it is a row that stands for it.
 * @param fileOf returns the name of a row's file, by the row's number from 1
 */
export function rowsOf(
  { stream, rowOf, raggedness, keepsMalformed }: Records,
  fileOf: (rowNumber: number) => string,
): Readable {
  let number = 0
  let started = false
  const start = () => {
    stream.on('data', (batch: CsvRecord[]) => {
      let wanted = true
      for (const record of batch) {
        number++
        const problem = raggedness(record)
        if (problem && keepsMalformed) {
          wanted = rows.push(malformedRow(record.bytes, problem))
          continue
        }
        if (problem) {
          rows.destroy(new SourceError(`${fileOf(number)}: ${problem}`))
          return
        }
        wanted = rows.push(rowOf(record))
      }
      if (!wanted) stream.pause()
    })
    stream.on('end', () => rows.push(null))
    stream.on('error', error => rows.destroy(error))
    if (stream.errored) rows.destroy(stream.errored)
    else stream.resume() // an earlier listener of 'readable' may have paused it
  }
  const rows = new Readable({
    objectMode: true,
    read() {
      if (started) stream.resume()
      else start()
      started = true
    },
    destroy(error, done) {
      stream.destroy(error ?? undefined)
      done(error)
    },
  })
  return rows.on('error', () => {}) // the stream keeps the error for its reader, which may not exist
}

function rowMaker(
  format: CsvFormat,
  header: readonly string[],
  longDelimiter: string | undefined,
): Pick<Records, 'rowOf' | 'raggedness'> {
  const cutter = new FieldCutter(format)
  return {
    rowOf(record) {
      if (record.fault !== undefined) {
        const text = rawText(record.bytes)
        return { [RAW_KEY]: longDelimiter ? text.replaceAll(format.delimiter, longDelimiter) : text }
      }
      const row: SourceRow = {}
      const count = cutter.cut(record)
      for (let field = 0; field < count; field++) {
        setOwn(row, header[field] ?? nameBeyond(header, field), cutter.text(record.chunk, field))
      }
      return row
    },
    raggedness(record) {
      if (record.fault !== undefined) return record.fault
      const count = cutter.cut(record)
      return count === header.length ? undefined : raggedMessage(record, count, header.length)
    },
  }
}

/** Returns a name for a field without a column, different from all columns. */
function nameBeyond(header: readonly string[], field: number): string {
  let name = columnName(field)
  while (header.includes(name)) name += '_'
  return name
}

/** Joins the texts of each column. */
function joinedRows(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 1) return [...rows[0]!]
  const width = Math.max(...rows.map(row => row.length))
  const textsOf = (index: number) => rows.map(row => row[index] ?? '').filter(isNamed)
  return Array.from({ length: width }, (_, index) => textsOf(index).join(' '))
}

function columnName(index: number): string {
  return `column${index + 1}`
}

function isNamed(column: string): boolean {
  return column.trim() !== ''
}

/** Throws if a name is repeated. Columns without a name are ignored. */
function checkUnique(names: readonly string[], file: string): void {
  const twice = firstRepeated(names.filter(isNamed))
  if (twice !== undefined) throw new SourceError(`${file}: the header names "${twice}" twice`)
}
