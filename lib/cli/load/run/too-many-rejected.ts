import type { Stats } from '../../../types.ts'
import { formatCount, plural } from '../../../values/format-count.ts'
import type { LoadArguments } from '../../arguments/arguments.ts'
import { isOverLimit, writerLimit } from '../../arguments/reject-limit.ts'
import { dataError, type ExitError } from '../../exit-error.ts'

type RowCounts = Pick<Stats, 'rowsReceived' | 'rowsPending' | 'rowsRejected'>

/** Returns the error of a load with too large a share of rejected rows. */
export function tooManyRejected(
  { rowsReceived, rowsPending, rowsRejected: rejected }: RowCounts,
  atEnd: boolean,
  { source, args }: { readonly source: { readonly name: string }; readonly args: LoadArguments },
): ExitError | undefined {
  const settled = rowsReceived - rowsPending
  if (!isOverLimit(args.rejectLimit, { rejected, settled, atEnd })) return undefined
  const { percent } = args.rejectLimit as { percent: number }
  return dataError(
    `${source.name}: ${formatCount(rejected)} of ${plural(settled, 'row')} rejected, more than ${percent}%`,
  )
}

/** Returns how many rows the writer may still reject. */
export function rejectsLeft(args: LoadArguments, rejectedBefore: number): number {
  return Math.max(0, writerLimit(args.rejectLimit, args.rejects !== undefined) - rejectedBefore)
}
