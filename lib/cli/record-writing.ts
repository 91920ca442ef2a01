import type { CsvColumns, CsvRecord } from '../csv/record.ts'
import { ValueError } from '../encode/row-encoder.ts'
import type { Records } from '../sources/csv.ts'
import type { SourceRow } from '../sources/rows.ts'
import type { Table } from '../types.ts'
import type { ColumnChoice } from './choose-columns.ts'

/** How records of CSV are written. */
export interface RecordWriting {
  /** The row of a record, by the names of the columns, for whoever wants to see it. */
  readonly rowOf: (record: CsvRecord) => SourceRow
  /** Where the fields go, when the bytes are written as they are; undefined: rows are made, and `toRow` makes them. */
  readonly csv: CsvColumns | undefined
  /** @throws ValueError for a ragged record */
  readonly toRow: (record: CsvRecord) => SourceRow
  /** @throws SourceError for a value that does not fit what the table was made for */
  readonly check: ((record: CsvRecord) => void) | undefined
}

/** Records are written from their bytes wherever COPY may be used; elsewhere INSERT needs values. */
export function planRecords(
  records: Records,
  table: Table,
  choice: ColumnChoice,
  check: ((row: SourceRow, number: number) => void) | undefined,
): RecordWriting {
  const { format, header, raggedness } = records
  const columnOf = new Map(choice.pairs)
  const rowOf = (record: CsvRecord): SourceRow => {
    const row = records.rowOf(record)
    return choice.rename && !raggedness(record) ? choice.rename(row) : row
  }
  return {
    rowOf,
    csv: table.copyObstacle ? undefined : { format, fields: header.map(name => columnOf.get(name)) },
    toRow(record) {
      const problem = raggedness(record)
      if (problem) throw new ValueError(undefined, problem)
      return rowOf(record)
    },
    // a ragged record is for the writer to reject
    check: check && (record => raggedness(record) ?? check(rowOf(record), record.number)),
  }
}
