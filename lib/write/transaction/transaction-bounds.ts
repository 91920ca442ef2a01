import type { TransactionSize } from './transaction-size.ts'
import type { TransactionWriter } from './transaction-writer.ts'

/**
 * When a transaction takes no further batches. `rows` counts items without a row, too. `bytes` bounds what is
 * held for another attempt, and so memory. `ms` bounds how long a row that has arrived can stay invisible. A
 * commit waits some 7 ms for the disk: 20,000 rows of 105 bytes a transaction reach 0.8 of the rate of
 * 100,000 on one connection.
 */
export const TRANSACTION_BOUNDS = Object.freeze({ rows: 100_000, bytes: 6 * 1024 * 1024, ms: 1000 })

/** The heap that a batch's items take, as a multiple of their bytes: 500 for a row of 120. */
const ITEMS_PER_BYTES = 4

export interface BoundsContext {
  readonly lanes: number
  readonly canReleaseItems: boolean
  readonly size: TransactionSize
}

/** Returns true when a transaction is to be committed before it takes another batch. */
export function isFull<Item>(
  writer: TransactionWriter<Item>,
  { lanes, canReleaseItems, size }: BoundsContext,
): boolean {
  const { plan, method, batches, items, bytes: bytesSent, ageMs, timeoutMs } = writer
  if (batches.length >= size.limit) return true
  const { rows, bytes, ms } = TRANSACTION_BOUNDS
  const holdsOnlyBytes = canReleaseItems && method === 'copy' && !plan.conflict && !plan.isCitus
  const heldBytes = bytesSent * (holdsOnlyBytes ? 1 : ITEMS_PER_BYTES)
  // a COPY that stays open is one statement: the rest of its time is for the merge
  const openMs = Math.min(ms, timeoutMs / 2)
  if (items >= rows || heldBytes >= bytes || ageMs >= openMs) return true
  // one statement takes its locks in the order of keys, several do not: they may deadlock with another lane.
  // Small batches that were not sent yet will share one. With a checkpoint they are sent before the partition
  // of the next batch is locked.
  const isSent = bytesSent > 0 || writer.opened?.checkpoint !== undefined
  return lanes > 1 && plan.conflict !== undefined && method === 'insert' && isSent
}
