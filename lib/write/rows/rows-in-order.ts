import type { RowGroup } from './batch.ts'
import type { RowRef } from './row-sender.ts'
import { RowSet } from './row-set.ts'
import type { RowShape } from './row-shapes.ts'

/**
 * Returns the rows of several groups in the order of their batch, as groups that end where the shape changes.
 */
export function runsInOrder(groups: readonly RowGroup[]): readonly RowGroup[] {
  if (groups.length === 1) return groups
  const runs: RowGroup[] = []
  for (const { group, index } of rowsInOrder(groups)) {
    let run = runs.at(-1)
    if (run?.shape !== group.shape) {
      run = { batch: group.batch, shape: group.shape, rows: new RowSet() }
      runs.push(run)
    }
    run.rows.add(group.rows.at(index), group.rows.itemAt(index))
  }
  return runs
}

/** Returns the rows of several groups in the order of their batch, as one group of a mixed shape. */
export function mixedGroup(groups: readonly RowGroup[], shape: RowShape): RowGroup {
  const rows = new RowSet()
  for (const { group, index } of rowsInOrder(groups)) rows.add(group.rows.at(index), group.rows.itemAt(index))
  return { batch: groups[0]!.batch, shape, rows, mixes: groups }
}

/** Returns the rows of several groups in the order of their batch. */
export function rowsInOrder(groups: readonly RowGroup[]): RowRef[] {
  const refs = groups.flatMap(group =>
    Array.from({ length: group.rows.length }, (_, index): RowRef => ({ group, index })),
  )
  if (groups.length === 1) return refs
  const itemOf = ({ group, index }: RowRef): number => group.rows.itemAt(index)
  return refs.sort((a, b) => itemOf(a) - itemOf(b))
}
