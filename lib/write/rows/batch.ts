import type { PgBatchError } from '../../errors.ts'
import type { RowSet } from './row-set.ts'
import type { RowShape } from './row-shapes.ts'

/** One array that was written to the stream, or the part of it that belongs to one lane. */
export interface Batch<Item> {
  /** The number of the array, from 1, in the order of writing. */
  readonly id: number
  /** How many items came. */
  readonly count: number
  /** Empty once nothing but their rows' bytes is held, see `holdBytesOnly`. */
  items: readonly Item[]
  /** Places of `items` in the array, where they are only a part of it. */
  readonly arrayIndexes?: readonly number[] | undefined
  /** What `toRow` made of the items, kept so that it runs once for each. */
  made?: MadeRows | undefined
  /** What `prepareBatch` made of the items. */
  prepared?: PreparedBatch
}

/** Rows that `toRow` made, or items that are rows, before they are checked against the table. */
export interface MadeRows {
  readonly rows: RowSet
  readonly invalid: readonly InvalidItem[]
}

/** The rows of a batch, checked against the table. */
export interface PreparedBatch {
  /** The plan that it was made by; its shapes are of no use to another one. */
  readonly plan: object
  readonly groups: readonly RowGroup[]
  /** Items that `toRow` made no row of. */
  readonly skipped: number
  /** Items that are no rows of this table, and will not become any. */
  readonly invalid: readonly InvalidItem[]
}

export interface InvalidItem {
  /** Index into the batch's items. */
  readonly index: number
  /** The row, where `toRow` made one. */
  readonly row?: object | undefined
  /** The row was to be deleted. */
  readonly isDelete?: boolean
  readonly error: PgBatchError
}

/** Rows of one batch that have values for the same set of columns, in their order. */
export interface RowGroup {
  readonly batch: Batch<unknown>
  readonly shape: RowShape
  readonly rows: RowSet
  /** What the rows became, in place of them. */
  readonly encoded?: EncodedRows | undefined
}

/** Rows as they went into a COPY. */
export interface EncodedRows {
  readonly format: 'binary' | 'text'
  /** As `CopyIn` takes them. */
  readonly pieces: readonly Buffer[]
  readonly count: number
}

/**
 * Lets go of a batch's items, where another attempt is all that may still be wanted of them: a quarter of the memory,
 * and objects that do not live long enough to become work for the garbage collector's slow part.
 * @returns the group, as the next attempt will find it
 */
export function holdBytesOnly({ batch, shape, rows }: RowGroup, encoded: EncodedRows): RowGroup {
  const group = { batch, shape, rows: rows.withoutRows(), encoded }
  batch.items = []
  batch.made = undefined
  batch.prepared = { ...batch.prepared!, groups: [group] }
  return group
}

/** True where nothing but the bytes of a batch's rows is held, so that no other plan can be made for it. */
export function isBytesOnly({ prepared }: Batch<unknown>): boolean {
  return prepared?.groups.some(({ encoded }) => encoded) ?? false
}

/** Place of an item in the array that was written. */
export function arrayIndexOf(batch: Batch<unknown>, index: number): number {
  return batch.arrayIndexes ? batch.arrayIndexes[index]! : index
}

/** Where an item is, as errors tell it before anything was sent. */
export function unsent(batch: Batch<unknown>, index: number) {
  return { outcome: 'not-sent', batchId: batch.id, rowIndex: arrayIndexOf(batch, index) } as const
}

/** Place in the array that was written of the `index`th row of a group. */
export function arrayIndexOfRow(group: RowGroup, index: number): number {
  return arrayIndexOf(group.batch, group.rows.itemAt(index))
}
