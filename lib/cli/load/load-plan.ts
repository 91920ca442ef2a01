import type { Readable } from 'node:stream'
import type { Sources } from '../../sources/open-sources.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { Table } from '../../types.ts'
import type { PgBatchWritableOptions } from '../../writable/options.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import type { Database } from '../database/database.ts'
import type { InputMeter } from '../files/input-meter.ts'
import type { RecordWriting } from '../rows/record-writing.ts'

/** What is to be loaded, and how. */
export interface LoadPlan {
  readonly source: Sources
  /** Its rows, by the names of the columns; with `records` arrays of them. */
  readonly rows: Readable
  /** Of CSV: its fields are cut only where a value of theirs is needed. */
  readonly records?: RecordWriting | undefined
  readonly meter: InputMeter
  readonly database: Database
  readonly table: Table
  readonly args: LoadArguments
  /** Takes the row out of what the source yields. */
  readonly unwrap: (line: SourceRow) => SourceRow
  /** Fits a row to the table. `line` is what it was taken out of, or the row itself. */
  readonly shape: (row: SourceRow, line: SourceRow) => SourceRow
  readonly writing: Pick<
    PgBatchWritableOptions<SourceRow>,
    'columns' | 'unknownKeys' | 'onConflict' | 'method'
  >
}
