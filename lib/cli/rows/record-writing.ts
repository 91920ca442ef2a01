import { FieldCutter } from '../../csv/field-cutter.ts'
import type { CsvColumns, CsvFormat, CsvRecord } from '../../csv/record.ts'
import { PgBatchError } from '../../errors.ts'
import type { Records } from '../../sources/csv/csv.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { SourceError } from '../../sources/source-error.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import type { Table } from '../../types.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import type { ColumnChecks } from '../columns/create-table.ts'
import type { TypeMismatch } from '../columns/type-mismatch.ts'

/** How records of CSV are written. */
export interface RecordWriting {
  /** The row of a record, by the names of the columns, for whoever wants to see it. */
  readonly rowOf: (record: CsvRecord) => SourceRow
  /** Where the fields go, when the bytes are written as they are; undefined: what `toRow` returns are rows. */
  readonly csv: CsvColumns | undefined
  /** What is written of a record; undefined: the record. Throws for one that is to be rejected. */
  readonly toRow: ((record: CsvRecord) => object) | undefined
  /** @throws SourceError for a record that ends the load */
  readonly check: ((record: CsvRecord) => void) | undefined
}

export interface RecordOptions {
  /** How the values of each column are checked. */
  readonly checks: ColumnChecks | undefined
  /** What does not pass is rejected; else it ends the load, before anything of its batch is sent. */
  readonly rejects: boolean
  readonly upserts: boolean
  readonly placeOf: (rowNumber: number) => string
}

/** Records are written from their bytes wherever COPY may be used; elsewhere INSERT needs values. */
export function planRecords(
  records: Records,
  table: Table,
  choice: ColumnChoice,
  { checks, rejects, upserts, placeOf }: RecordOptions,
): RecordWriting {
  const { format, header, raggedness } = records
  const columnOf = new Map(choice.pairs)
  const fields = header.map(name => columnOf.get(name))
  const rowOf = (record: CsvRecord): SourceRow => {
    const row = records.rowOf(record)
    return choice.rename && !raggedness(record) ? choice.rename(row) : row
  }
  const mismatchOf = checks && recordCheck(format, fields, checks)
  const fitting = (record: CsvRecord): CsvRecord => {
    const mismatch = mismatchOf?.(record)
    if (mismatch) throw mismatch
    return record
  }
  const whole = (record: CsvRecord): SourceRow => {
    const problem = raggedness(record)
    if (problem) throw new PgBatchError('VALUE_NOT_ENCODABLE', problem, { outcome: 'not-sent' })
    return rowOf(rejects ? fitting(record) : record)
  }
  const bytes = copyObstacleOf(table, upserts) === undefined
  return {
    rowOf,
    csv: bytes ? { format, fields } : undefined,
    toRow: !bytes ? whole : rejects && mismatchOf ? fitting : undefined,
    check:
      rejects || !mismatchOf
        ? undefined
        : record => {
            const mismatch = mismatchOf(record)
            if (!mismatch) return
            throw new SourceError(
              `${placeOf(record.number)} (line ${record.line}): ${mismatch.reason}; ${mismatch.hint}`,
            )
          },
  }
}

/** Looks at the fields whose columns have a check, as texts. A ragged record passes: it is for the writer to reject. */
function recordCheck(
  format: CsvFormat,
  fields: readonly (string | undefined)[],
  checks: ColumnChecks,
): (record: CsvRecord) => TypeMismatch | undefined {
  const cutter = new FieldCutter(format)
  const checked = fields.flatMap((column, field) => {
    const check = column === undefined ? undefined : checks(column)
    return check ? [{ field, check }] : []
  })
  return record => {
    if (checked.length === 0 || cutter.cut(record) !== fields.length) return undefined
    for (const { field, check } of checked) {
      const mismatch = check(cutter.text(record.chunk, field))
      if (mismatch) return mismatch
    }
    return undefined
  }
}
