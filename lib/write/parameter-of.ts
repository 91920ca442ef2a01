import type { RowGroup } from './batch.ts'
import type { PlannedColumn } from './planned-columns.ts'
import { RowError } from './row-sender.ts'

/**
 * A row's value as a parameter of `pg`.
 * @throws RowError for a value that has no such form
 */
export function parameterOf(column: PlannedColumn, group: RowGroup, index: number): string | Buffer | null {
  try {
    const value = column.read(group.rows[index]!)
    return value === null || value === undefined ? null : column.known!.codec.text(value)
  } catch (cause) {
    const message = `Column ${JSON.stringify(column.name)}: the value could not be made into a parameter`
    throw new RowError({ group, index, column: column.name }, message, cause)
  }
}
