import type { CsvFormat, CsvRecord } from '../../csv/record.ts'
import { rowMaker } from '../../sources/csv/record-rows.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { type ColumnChoice, renamed } from './choose-columns.ts'
import { putPoints } from './decimal-comma.ts'

/** How a CSV record becomes a row with columns as keys. Plain data, which another thread can use, too. */
export interface RecordRows {
  readonly format: CsvFormat
  readonly header: readonly string[]
  readonly longDelimiter: string | undefined
  /** Name in the file, and column. Undefined if the names are the columns. */
  readonly pairs: ColumnChoice['pairs'] | undefined
  /** The columns whose numbers have a decimal comma in the file. */
  readonly commaColumns: ReadonlySet<string>
}

/** Returns the function that makes a row of a record. A record that cannot be cut keeps its text. */
export function rowMakerOf({ format, header, longDelimiter, pairs, commaColumns }: RecordRows) {
  const { rowOf, raggedness } = rowMaker(format, header, longDelimiter)
  return (record: CsvRecord): SourceRow => {
    const row = rowOf(record)
    if (raggedness(record)) return row
    const named = pairs ? renamed(row, pairs) : row
    putPoints(named, commaColumns)
    return named
  }
}
