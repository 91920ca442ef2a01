import { errorContext, toPgBatchError } from '../faults/failure.ts'
import type { RowsInTransaction } from '../send/rows-in-transaction.ts'
import type { EachWritten } from './isolate-rows.ts'
import { groupByShape, type Row, type Unit } from './rows.ts'

export interface WriteEachOptions {
  readonly rows: RowsInTransaction
  /** Statements after each row, of which the first may fail because of the row. */
  readonly checks: readonly string[]
  readonly isRefused: (row: Row) => boolean
}

/**
 * Writes units `from` to `to` (exclusive), or the first of them, by a statement for each, in one round trip,
 * without those that are refused already. Each unit has one row.
 */
export async function writeEach(
  units: readonly Unit[],
  from: number,
  to: number,
  { rows, checks, isRefused }: WriteEachOptions,
): Promise<EachWritten> {
  const left: number[] = []
  for (let index = from; index < to; index++) if (!isRefused(units[index]![0]!)) left.push(index)
  if (left.length === 0) return { to, refused: new Map() }
  const groups = left.map(index => groupByShape(units[index]!)[0]!)
  const { count, refused } = await rows.sendEach(groups, checks)
  const errors = [...refused].map(([at, { row, error }]) => {
    return [left[at]!, toPgBatchError(error, 'rolled-back', errorContext(row), 'write')] as const
  })
  return { to: count === left.length ? to : left[count]!, refused: new Map(errors) }
}
