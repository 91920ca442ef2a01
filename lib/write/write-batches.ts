import { isFinal } from './faults/is-final.ts'
import { FOREIGN_KEY_VIOLATION } from './isolate/refusals.ts'
import { WaitingRows } from './isolate/waiting-rows.ts'
import type { Batch } from './rows/batch.ts'
import { isFull } from './transaction/transaction-bounds.ts'
import type { FailedTransaction } from './transaction/transaction-result.ts'
import { TransactionSize } from './transaction/transaction-size.ts'
import type { TransactionWriter } from './transaction/transaction-writer.ts'
import type { NextBatch, Progress, WriteContext } from './write-context.ts'
import { type AddBatches, writeWithRetries } from './write-with-retries.ts'

/**
 * Writes `first`, and the batches that `next` has ready, in as few transactions as they need. Yields what
 * each transaction has committed.
 *
 *     transient failure                   → the same batches again, after a pause, in smaller transactions
 *     outcome unknown                     → the server is asked first: committed, or again
 *     permanent, several batches          → each batch alone, so that one does not fail the others
 *     permanent, one batch, a row's fault → its bad rows are rejected, within the budget
 *     a foreign key, with `awaitsParents` → together with the batches after it
 *     permanent otherwise                 → thrown
 *
 * @throws PgBatchError of the first batch that could not be written; later batches are not written then
 */
export async function* writeBatches<Item>(
  first: Batch<Item>,
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  for (let waiting: readonly Batch<Item>[] = [first]; waiting.length > 0; ) {
    const left: Batch<Item>[] = []
    const failed = yield* writeWithRetries(waiting, fillFrom(next, left, context), context)
    const orphans = failed && (yield* writeFailed(failed, context))
    if (orphans) yield* writeWithLater([...orphans, ...failed.rest, ...left], next, context)
    waiting = orphans ? [] : [...(failed?.rest ?? []), ...left]
  }
}

/** Returns the batches that wait for later ones. */
async function* writeFailed<Item>(
  failed: FailedTransaction<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, readonly Batch<Item>[] | undefined> {
  const { batches, error } = failed
  if (isOrphaned(failed, context)) return batches
  if (batches.length === 1) return (yield* writeIsolated(batches, failed, context)) ? batches : undefined
  if (isFinal(error)) throw error
  // each batch in a transaction of its own
  for (const [index, batch] of batches.entries()) {
    const alone = yield* writeWithRetries([batch], addAll, context)
    if (!alone) continue
    if (isOrphaned(alone, context) || (yield* writeIsolated([batch], alone, context)))
      return batches.slice(index)
  }
  return undefined
}

/**
 * Writes batches together with later ones, in one transaction, because rows may refer to rows that come
 * later. After the last attempt the bad rows are rejected, those of all batches together.
 */
async function* writeWithLater<Item>(
  first: readonly Batch<Item>[],
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  const together = { ...context, size: new TransactionSize({ shrinks: false }) }
  const batches = [...first]
  const rows = new WaitingRows()
  for (const batch of batches) rows.add(batch)
  rows.waitForMore()
  for (;;) {
    let hasEnded = false
    while (!hasEnded && !rows.areDue) {
      const batch = await next('waits')
      if (batch) {
        batches.push(batch)
        rows.add(batch)
      } else hasEnded = true
    }
    const failed = yield* writeWithRetries(batches, addAll, together)
    if (!failed) return
    const { error, rowsFault } = failed
    const mayReject = context.budget.left > 0 || isOrphaned(failed, context)
    if (isFinal(error) || !rowsFault || !mayReject) throw error
    if (!hasEnded && rows.waitForMore()) continue
    if (hasEnded && !context.awaitsParents!()) throw error
    yield* writeIsolated(batches, failed, together, true)
    return
  }
}

/** Returns true if later rows may be what a foreign key misses. */
function isOrphaned<Item>(
  { error, plan }: FailedTransaction<Item>,
  { awaitsParents }: WriteContext<Item>,
): boolean {
  const isOne = error.sqlState === FOREIGN_KEY_VIOLATION && !isFinal(error)
  return isOne && awaitsParents !== undefined && plan.selfReferences.length > 0
}

/**
 * Rejects the bad rows of batches and writes the others, if rows have caused the failure and the budget
 * allows it. Returns true if rows wait for later batches.
 * @param isLast no later batches are waited for. A row is looked for even if it cannot be rejected, so that
 *   the error names it
 */
async function* writeIsolated<Item>(
  batches: readonly Batch<Item>[],
  failure: FailedTransaction<Item>,
  context: WriteContext<Item>,
  isLast = false,
): AsyncGenerator<Progress<Item>, boolean> {
  let last = failure
  // a COPY into Citus hides which constraint was broken, and may name another row's line
  const byInsert = failure.plan.isCitus
  const awaitsParents = context.awaitsParents !== undefined && !isLast
  // the first round does not isolate what is checked at the end of the transaction
  for (const immediate of [false, true]) {
    if ((context.budget.left === 0 && !isLast) || !last.rowsFault) throw last.error
    const { error, row, plan } = last
    const addIsolated: AddBatches<Item> = writer =>
      writer.addIsolated(batches, { error, row, plan, immediate, awaitsParents })
    const failed = yield* writeWithRetries(batches, addIsolated, context, byInsert)
    if (!failed) return false
    if (awaitsParents && isOrphaned(failed, context)) return true
    last = failed
  }
  throw last.error
}

async function addAll<Item>(writer: TransactionWriter<Item>, batches: readonly Batch<Item>[]): Promise<void> {
  for (const batch of batches) await writer.add(batch)
}

/**
 * Returns a function that adds batches, and further ones while they are ready and there is room.
 * @param left receives a batch that may need the table's new definition, which only the next transaction can
 *   use
 */
function fillFrom<Item>(
  next: NextBatch<Item>,
  left: Batch<Item>[],
  context: WriteContext<Item>,
): AddBatches<Item> {
  return async (writer, batches, takesMore) => {
    await addAll(writer, batches)
    while (takesMore && left.length === 0 && !isFull(writer, context)) {
      const batch = await next()
      if (!batch) return
      if (writer.suits(batch)) await writer.add(batch)
      else left.push(batch)
    }
  }
}
