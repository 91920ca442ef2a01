import type { Readable } from 'node:stream'
import { FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvFormat, type CsvRecord, raggedMessage } from '../../csv/record.ts'
import { flatten } from '../../streams/flatten.ts'
import { malformedRow, RAW_KEY, rawText } from '../malformed.ts'
import { type SourceRow, setOwn } from '../rows.ts'
import { MalformedRecord } from '../source-error.ts'
import { nameBeyond } from './read-header.ts'

/** The records of a CSV file, and functions that make rows of them. */
export interface Records {
  /** `RecordTable`s. Destroying it closes the file. */
  readonly stream: Readable
  readonly format: CsvFormat
  readonly header: readonly string[]
  /** Names of the header that the file leaves empty, such as `column_7`. */
  readonly unnamed: readonly string[]
  /** The file has no name for the last column. */
  readonly isLastUnnamed: boolean
  /** The names that were changed, so that they can be columns, a line each. */
  readonly notes: readonly string[]
  /**
   * Returns a record as an object. Every value is a string or null. As in `\copy … csv`, an unquoted empty
   * field (or the dialect's text for NULL) is NULL, and a quoted empty field is the empty string. A ragged
   * record lacks its last columns, or has more, which get names such as column_7.
   * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-CSV-FORMAT
   */
  readonly rowOf: (record: CsvRecord) => SourceRow
  /** Returns the fault of a record that is malformed, or has not as many fields as the file has columns. */
  readonly raggedness: (record: CsvRecord) => string | undefined
  /** Malformed records are among the others, to be rejected. */
  readonly keepsMalformed: boolean
  /** The delimiter in the file, if the format's takes its place. */
  readonly longDelimiter: string | undefined
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
  return flatten(stream, (record: CsvRecord) => {
    number++
    const problem = raggedness(record)
    if (problem === undefined) return rowOf(record)
    if (keepsMalformed) return malformedRow(record.bytes, problem)
    throw new MalformedRecord(`${fileOf(number)}: ${problem}`)
  })
}

/**
 * Returns the functions that make rows of records.
 * @param longDelimiter the delimiter in the file, if the format's takes its place
 */
export function rowMaker(
  format: CsvFormat,
  header: readonly string[],
  longDelimiter: string | undefined,
): Pick<Records, 'rowOf' | 'raggedness'> & { readonly textOf: (record: CsvRecord) => string } {
  const cutter = new FieldCutter(format)
  const textOf = (record: CsvRecord): string => {
    const text = rawText(record.bytes)
    return longDelimiter ? text.replaceAll(format.delimiter, longDelimiter) : text
  }
  return {
    textOf,
    rowOf(record) {
      if (record.fault !== undefined) return { [RAW_KEY]: textOf(record) }
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
