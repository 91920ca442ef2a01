import type { BlockTable } from '../columnar/block-table.ts'
import type { RecordTable } from '../csv/record-table.ts'

/** Rows, and for each one the index of its item in the batch. */
export interface RowList {
  readonly length: number
  at(index: number): object
  itemAt(index: number): number
  /** The rows as a table of records, one for each row, where they have not become objects. */
  readonly records?: RecordTable | undefined
  /** The rows as blocks of columns, where they have not become objects. */
  readonly blocks?: BlockTable | undefined
}
