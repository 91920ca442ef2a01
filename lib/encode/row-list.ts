import type { ItemTable } from '../values/items/item-table.ts'

/** Rows, and for each one the index of its item in the batch. */
export interface RowList {
  readonly length: number
  at(index: number): object
  itemAt(index: number): number
  /** The rows as a table, one for each item, where they have not become objects. */
  readonly table?: ItemTable | undefined
}
