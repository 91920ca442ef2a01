import type { WidenedColumn } from '../../table/alter-table.ts'
import type { WritePlan } from '../plan/plan.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import { textsHeld } from '../prepare/held-fields.ts'
import { prepareBatch } from '../prepare/prepare-batch.ts'
import type { Batch, RowGroup } from '../rows/batch.ts'
import { widerType } from './wider-type.ts'

/** Returns the columns whose types have to be wider to hold every value of batches that can be held. */
export function widenedColumns<Item>(
  batches: readonly Batch<Item>[],
  plan: WritePlan<Item>,
): WidenedColumn[] {
  const prepared = batches.map(batch => prepareBatch(batch, plan))
  const groups = prepared.filter(one => one.plan === plan).flatMap(one => one.groups)
  return plan.columns.flatMap((column, index) => {
    const from = column.known?.column.sqlType
    if (from === undefined) return []
    const written = groups.filter(({ shape }) => shape.columns.includes(index) && !shape.deletes)
    const to = widerType(column.known!.column, textsIn(written, column, index))
    return to === undefined ? [] : [{ name: column.name, from, to }]
  })
}

function* textsIn(
  groups: readonly RowGroup[],
  { read, known }: PlannedColumn,
  index: number,
): Generator<string> {
  for (const { rows, encoded, shape } of groups) {
    if (encoded) yield* textsHeld(encoded, shape.columns.indexOf(index), known!.column.type.name)
    for (const [row] of rows) {
      let text: unknown
      try {
        const value = read(row)
        text = value === null || value === undefined ? null : known!.codec.text(value)
      } catch {
        continue // the row is rejected for it
      }
      if (typeof text === 'string') yield text
    }
  }
}
