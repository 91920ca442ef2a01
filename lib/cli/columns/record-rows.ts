import type { CsvFormat, CsvRecord } from '../../csv/record.ts'
import { rowMaker } from '../../sources/csv/record-rows.ts'
import { RAW_KEY } from '../../sources/malformed.ts'
import { type SourceRow, setOwn } from '../../sources/rows.ts'
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

/**
 * Returns the function that makes a row of a record. A malformed one keeps its text, too: it is not certain
 * which columns its fields belong to, so that its row must not be loaded as it is.
 */
export function rowMakerOf({ format, header, longDelimiter, pairs, commaColumns }: RecordRows) {
  const { rowOf, raggedness, textOf } = rowMaker(format, header, longDelimiter)
  const columnOf = new Map(pairs ?? header.map(name => [name, name]))
  const beyond = (key: string) => (header.includes(key) ? undefined : key)
  const guessed = (row: SourceRow): SourceRow => {
    const out: SourceRow = {}
    for (const [key, value] of Object.entries(row)) {
      const name = columnOf.get(key) ?? beyond(key)
      if (name !== undefined) setOwn(out, name, value)
    }
    return out
  }
  return (record: CsvRecord): SourceRow => {
    const row = rowOf(record)
    if (record.fault !== undefined) return row
    if (raggedness(record)) return { ...guessed(row), [RAW_KEY]: textOf(record) }
    const named = pairs ? renamed(row, pairs) : row
    putPoints(named, commaColumns)
    return named
  }
}
