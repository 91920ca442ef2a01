import type { TablePlan } from '../../plan/plan.ts'
import type { RowGroup } from '../../rows/batch.ts'

/**
 * Up to this many rows, text costs the server less than binary does with the check of the types that has to
 * follow it.
 */
const MAX_ROWS = Number(process.env.TXT ?? 100)

/**
 * Returns true for a batch that travels as text if it is alone in its transaction: it is so small that the
 * check of the types would cost the server more than its rows. Rows that lack a column go as binary, for
 * that check also finds a DEFAULT that the table has got meanwhile.
 */
export function suitsText(groups: readonly RowGroup[], plan: TablePlan): boolean {
  const { copyFormat, recordKeys, columns } = plan
  const [group] = groups
  if (!group || groups.length > 1 || group.encoded || copyFormat !== 'auto' || recordKeys) return false
  const { rows, shape } = group
  if (rows.records || rows.length > MAX_ROWS) return false
  try {
    return !rows.some(row => shape.columns.some(index => columns[index]!.read(row) === undefined))
  } catch {
    return false // the encoder names the column whose getter throws
  }
}
