import type { Readable } from 'node:stream'
import type { Sources } from '../../sources/open-sources.ts'
import type { Repairs } from '../../sources/repairs.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { AddedColumn } from '../../table/alter-table.ts'
import type { Table } from '../../types.ts'
import type { EvolveEvent } from '../../writable/events.ts'
import type { PgBatchWritableOptions } from '../../writable/options.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import type { KeyMatches } from '../columns/match-keys.ts'
import type { Database } from '../database/database.ts'
import type { InputMeter } from '../files/input-meter.ts'
import type { BlockWriting } from '../rows/block-writing.ts'
import type { LineWriting } from '../rows/line-writing.ts'
import type { RecordWriting } from '../rows/record-writing.ts'
import type { RowChange } from '../rows/row-intake.ts'
import type { Terminal } from '../terminal/output.ts'

/** Rows are tried in a transaction that is rolled back. */
export interface Trial {
  /** Statements that come first in the transaction: the table is made, or emptied. */
  readonly begin: readonly string[]
  /** The number of rows that an earlier run of a resumed load has written. */
  readonly skip: number
  /** Says which rows these are, where they are not the first ones. */
  readonly isWritten?: ((rowNumber: number) => boolean) | undefined
}

/** What is loaded, and how. */
export interface LoadPlan {
  readonly source: Sources
  /** The rows. If there are `records` or `lines`, tables or arrays of these. */
  readonly rows: Readable
  /** How CSV records are written. Their fields are cut only if a value is needed. */
  readonly records?: RecordWriting | undefined
  /** How lines of NDJSON are written. */
  readonly lines?: LineWriting | undefined
  /** How the blocks of a Parquet file are written. Their rows are objects only if a value is needed. */
  readonly blocks?: BlockWriting | undefined
  /** What is done to each row that is not a record. */
  readonly change: RowChange | undefined
  /** Matches the keys of each row with columns. */
  readonly matches: KeyMatches | undefined
  readonly meter: InputMeter
  readonly repairs: Repairs
  readonly database: Database
  readonly table: Table
  readonly args: LoadArguments
  /** The columns that --evolve has added before the first row, whose later values are checked. */
  readonly newColumns: readonly AddedColumn[]
  readonly terminal: Terminal
  /** Set for a dry run. */
  readonly trial?: Trial | undefined
  /** Returns the row that a line of the source holds. */
  readonly unwrap: (line: SourceRow) => SourceRow
  /** Fits a row to the table. `line` is what the row was taken out of, or the row itself. */
  readonly shape: (row: SourceRow, line: SourceRow) => SourceRow
  readonly writing: Pick<
    PgBatchWritableOptions<SourceRow>,
    'columns' | 'unknownKeys' | 'onConflict' | 'method' | 'evolve'
  >
  /** Called after the writer has added columns for keys of JSON rows. */
  readonly onEvolve: (event: EvolveEvent) => void
}
