import type { RowGroup } from '../rows/batch.ts'
import type { RowRef } from '../rows/row-sender.ts'
import { RowSet } from '../rows/row-set.ts'
import type { RowShape } from '../rows/row-shapes.ts'

/** A row of one of the batches that are isolated. */
export interface Row {
  readonly batch: RowGroup['batch']
  readonly item: number
  readonly row: object
  readonly shape: RowShape
}

/** A row of which only its values matter, and the columns that it has. */
export type ShapedRow = Pick<Row, 'row' | 'shape'>

/** Rows that go into one piece together because they refer to each other; nearly always a single row. */
export type Unit = readonly Row[]

export function inOrder(a: Row, b: Row): number {
  return a.batch.id - b.batch.id || a.item - b.item
}

export function isRowAt({ group, index }: RowRef): (row: Row) => boolean {
  const item = group.rows.itemAt(index)
  return row => row.item === item && row.batch === group.batch
}

/** @param rows of one batch */
export function groupByShape(rows: readonly Row[]): RowGroup[] {
  const { batch } = rows[0]!
  const groups = new Map<RowShape, RowSet>()
  for (const { item, row, shape } of rows) {
    let set = groups.get(shape)
    if (!set) {
      set = new RowSet()
      groups.set(shape, set)
    }
    set.add(row, item)
  }
  return [...groups].map(([shape, rows]) => ({ batch, shape, rows }))
}
