import type { Table } from '../types.ts'

/** Why rows cannot go by COPY; undefined: they can. */
export function copyObstacleOf(table: Table, isUpsert: boolean): string | undefined {
  // an upsert's COPY goes into a staging table, which has neither the target's rules nor its policies
  if (!isUpsert) return table.copyObstacle
  if (!table.mayStage) return 'an upsert by it needs the right to make temporary tables'
  const unreadable = table.columns.some(column => !column.deniesInsert && column.deniesSelect)
  return unreadable ? 'an upsert by it needs the right to read the columns that it writes' : undefined
}
