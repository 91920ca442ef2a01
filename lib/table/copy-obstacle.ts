import type { Table } from '../types.ts'

/** Why rows cannot go by COPY; undefined: they can. */
export function copyObstacleOf(table: Table, isUpsert: boolean): string | undefined {
  // an upsert's COPY goes into a staging table, which has neither the target's rules nor its policies
  if (!isUpsert) return table.copyObstacle
  return table.mayStage ? undefined : 'an upsert by it needs the right to make temporary tables'
}
