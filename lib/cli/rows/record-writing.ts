import { FieldCutter } from '../../csv/field-cutter.ts'
import type { CsvFormat, CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import type { CsvColumns } from '../../encode/row-encoder.ts'
import { PgBatchError } from '../../errors.ts'
import { judgeNuls } from '../../sources/csv/judge-nuls.ts'
import type { Records } from '../../sources/csv/record-rows.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { SourceError } from '../../sources/source-error.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import type { Table } from '../../types.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import type { ColumnChecks } from '../columns/create-table.ts'
import { type RecordRows, rowMakerOf } from '../columns/record-rows.ts'
import type { TypeMismatch } from '../columns/type-mismatch.ts'
import { loadWasmEncoder } from './load-wasm-encoder.ts'
import { recordDecimals } from './record-decimals.ts'

/** How CSV records are written. */
export interface RecordWriting {
  /** What `rowOf` does. */
  readonly rows: RecordRows
  /** Returns the row of a record, with columns as keys. */
  readonly rowOf: (record: CsvRecord) => SourceRow
  /** Where the fields go if the bytes are written as they are. Undefined if `toRow` returns rows. */
  readonly csv: CsvColumns | undefined
  /** Returns what is written of a record. Undefined: the record itself. Throws if the record is rejected. */
  readonly toRow: ((record: CsvRecord) => object) | undefined
  /** Takes the fault from records whose NULs are in fields that are not loaded. */
  readonly judge: (records: RecordTable) => RecordTable
  /** @throws SourceError for a record that ends the load */
  readonly check: ((record: CsvRecord) => void) | undefined
}

export interface RecordOptions {
  /** The checks of each column's values. */
  readonly checks: ColumnChecks | undefined
  /** The columns whose numbers have a decimal comma in the file. */
  readonly commaColumns: ReadonlySet<string>
  /** True: a record that does not fit is rejected. False: it ends the load before its batch is sent. */
  readonly rejects: boolean
  readonly upserts: boolean
  readonly placeOf: (rowNumber: number, line: number) => string
}

/** Plans to write records from their bytes if COPY can be used. INSERT needs values. */
export function planRecords(
  records: Records,
  table: Table,
  choice: ColumnChoice,
  { checks, commaColumns, rejects, upserts, placeOf }: RecordOptions,
): RecordWriting {
  const { format, header, longDelimiter, raggedness } = records
  const columnOf = new Map(choice.pairs)
  const fields = header.map(name => columnOf.get(name))
  const pairs = choice.rename && choice.pairs
  const rows = { format, header, longDelimiter, pairs, commaColumns }
  const rowOf = rowMakerOf(rows)
  const hasCommas = commaColumns.size > 0
  const withPoints = hasCommas ? recordDecimals(format, fields, commaColumns) : undefined
  const mismatchOf = checks && recordCheck(format, fields, checks)
  const fitting = (record: CsvRecord): CsvRecord => {
    const mismatch = mismatchOf?.(record)
    if (mismatch) throw mismatch
    return withPoints?.(record) ?? record
  }
  const whole = (record: CsvRecord): SourceRow => {
    const problem = raggedness(record)
    if (problem) throw new PgBatchError('VALUE_NOT_ENCODABLE', problem, { outcome: 'not-sent' })
    if (rejects) fitting(record)
    else withPoints?.(record)
    return rowOf(record)
  }
  const bytes = copyObstacleOf(table, upserts) === undefined
  return {
    rows,
    rowOf,
    csv: bytes ? { format, fields, wasm: loadWasmEncoder() } : undefined,
    toRow: !bytes ? whole : rejects && mismatchOf ? fitting : withPoints,
    judge: judgeNuls(format, fields),
    check:
      rejects || !mismatchOf
        ? undefined
        : record => {
            const mismatch = mismatchOf(record)
            if (!mismatch) return
            const place = placeOf(record.number, record.line)
            throw new SourceError(`${place}: ${mismatch.reason}; ${mismatch.hint}`)
          },
  }
}

/** Checks the fields as texts. A malformed or ragged record passes, because the writer rejects it. */
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
    if (checked.length === 0 || record.fault !== undefined) return undefined
    if (cutter.cut(record) !== fields.length) return undefined
    for (const { field, check } of checked) {
      const mismatch = check(cutter.text(record.chunk, field))
      if (mismatch) return mismatch
    }
    return undefined
  }
}
