import type { Table } from '../types.ts'

/** Returns why rows cannot be written by COPY; undefined if they can. */
export function copyObstacleOf(table: Table, isUpsert: boolean): string | undefined {
  // an upsert copies into a staging table, which has neither the rules nor the policies of the target
  if (!isUpsert) return table.copyObstacle
  if (!table.mayStage) return 'an upsert by COPY needs the privilege TEMP on the database'
  const unreadable = table.columns.some(column => !column.deniesInsert && column.deniesSelect)
  return unreadable ? 'an upsert by COPY needs the privilege SELECT on the columns that it writes' : undefined
}
