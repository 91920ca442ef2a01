import type { PgBatchError } from '../../errors.ts'
import type { RowGroup } from '../rows/batch.ts'

export const FOREIGN_KEY_VIOLATION = '23503'

/** A unique key or an exclusion constraint refuses a row because of another one. */
const EXCLUDED: ReadonlySet<string | undefined> = new Set(['23505', '23P01'])

/**
 * Returns true if the server may have named the first of two rows with one unique key: rows of each shape go
 * by a statement of their own, so that the second may have been sent before the first.
 */
export function mayBlameFirst({ sqlState }: PgBatchError, groups: readonly RowGroup[]): boolean {
  return groups.length > 1 && EXCLUDED.has(sqlState)
}
