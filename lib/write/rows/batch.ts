import type { PgBatchError } from '../../errors.ts'
import type { ItemTable } from '../../values/items/item-table.ts'
import type { RowSet } from './row-set.ts'
import type { RowShape } from './row-shapes.ts'

/** One array that was written to the stream, or the part of it that belongs to one lane. */
export interface Batch<Item> {
  /** The number of the array, from 1, in the order of writing. */
  readonly id: number
  /** How many items it was written with. */
  readonly count: number
  /** Empty once nothing needs them, see `holdBytesOnly` and `forgetRows`. */
  items: readonly Item[]
  /** The items as a table, where they are not needed as objects. */
  readonly table?: ItemTable | undefined
  /** The index in the array of each of `items`, where they are only a part of the array. */
  readonly arrayIndexes?: readonly number[] | undefined
  /** The rows that `toRow` returned, kept so that it is called once for each item. */
  made?: MadeRows | undefined
  /** The result of `prepareBatch`. */
  prepared?: PreparedBatch | undefined
}

/**
 * Rows that `toRow` returned, or items that are rows themselves, before they are checked against the table.
 */
export interface MadeRows {
  readonly rows: RowSet
  readonly invalid: readonly InvalidItem[]
}

/** The rows of a batch, checked against the table. */
export interface PreparedBatch {
  /** The plan that it was prepared with; another plan cannot use its shapes. */
  readonly plan: object
  readonly groups: readonly RowGroup[]
  /** How many items `toRow` returned no row for. */
  readonly skipped: number
  /** Items that are not rows of this table: trying again would not change that. */
  readonly invalid: readonly InvalidItem[]
}

export interface InvalidItem {
  /** Index into the batch's items. */
  readonly index: number
  /** Undefined where `toRow` returned none. */
  readonly row?: object | undefined
  /** `operation` returned 'delete' for it. */
  readonly isDelete?: boolean
  readonly error: PgBatchError
}

/** Rows of one batch that have values for the same set of columns, in their order. */
export interface RowGroup {
  readonly batch: Batch<unknown>
  readonly shape: RowShape
  readonly rows: RowSet
  /** The groups of these rows by their own shape, where `shape` is a mixed one. */
  readonly mixes?: readonly RowGroup[] | undefined
  /** The bytes of the rows, where these are no longer held. */
  readonly encoded?: EncodedRows | undefined
}

export function countRows(groups: readonly RowGroup[]): number {
  return groups.reduce((count, { rows }) => count + rows.length, 0)
}

/** Splits groups or rows where the next one belongs to another batch. Their order stays. */
export function splitByBatch<Part extends { readonly batch: Batch<unknown> }>(
  all: readonly Part[],
): Part[][] {
  const parts: Part[][] = []
  for (const one of all) {
    const last = parts.at(-1)
    if (last && last[0]!.batch === one.batch) last.push(one)
    else parts.push([one])
  }
  return parts
}

/** The bytes of rows, as they were sent in a COPY. */
export interface EncodedRows {
  readonly format: 'binary' | 'text'
  /** Each with room for a header, as `CopyIn` takes them. */
  readonly pieces: readonly Buffer[]
  readonly count: number
}

/**
 * Replaces the items of a batch by the bytes of their rows, where only another attempt may still need them.
 * The bytes take a quarter of the memory, and the objects die before the garbage collector moves them to its
 * old generation.
 * @returns the group that another attempt sends
 */
export function holdBytesOnly({ batch, shape, rows }: RowGroup, encoded: EncodedRows): RowGroup {
  const group = { batch, shape, rows: rows.withoutRows(), encoded }
  batch.table?.release()
  batch.items = []
  batch.made = undefined
  batch.prepared = { ...batch.prepared!, groups: [group] }
  return group
}

/** Drops the rows of a batch that were sent and that nothing needs any more. Errors can still name them. */
export function forgetRows(batch: Batch<unknown>): void {
  for (const { rows } of batch.prepared?.groups ?? []) rows.forget()
  batch.items = []
  batch.made = undefined
  batch.prepared = undefined
}

/** Returns true when a batch is held only as bytes, which no other plan can write. */
export function isBytesOnly({ prepared }: Batch<unknown>): boolean {
  return prepared?.groups.some(({ encoded }) => encoded) ?? false
}

/** Returns the index of an item in the array that was written to the stream. */
export function arrayIndexOf(batch: Batch<unknown>, index: number): number {
  return batch.arrayIndexes ? batch.arrayIndexes[index]! : index
}

/** Returns the details of an error about an item, before anything was sent. */
export function unsent(batch: Batch<unknown>, index: number) {
  return { outcome: 'not-sent', batchId: batch.id, rowIndex: arrayIndexOf(batch, index) } as const
}

/** Returns the index in the array of the item that a row of a group comes from. */
export function arrayIndexOfRow(group: RowGroup, index: number): number {
  return arrayIndexOf(group.batch, group.rows.itemAt(index))
}
