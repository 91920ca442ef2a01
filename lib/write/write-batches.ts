import { isFinal } from './faults/is-final.ts'
import type { Batch } from './rows/batch.ts'
import { isFull } from './transaction/transaction-bounds.ts'
import type { FailedTransaction } from './transaction/transaction-result.ts'
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
    if (failed?.batches.length === 1) yield* writeIsolated(failed.batches[0]!, failed, context)
    else if (failed) yield* writeOneByOne(failed, context)
    waiting = [...(failed?.rest ?? []), ...left]
  }
}

/** Writes each batch of a failed transaction in a transaction of its own. */
async function* writeOneByOne<Item>(
  { batches, error }: FailedTransaction<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  if (isFinal(error)) throw error
  for (const batch of batches) {
    const failed = yield* writeWithRetries([batch], addAll, context)
    if (failed) yield* writeIsolated(batch, failed, context)
  }
}

/**
 * Rejects a batch's bad rows and writes the others, if rows have caused the failure and the budget allows it.
 */
async function* writeIsolated<Item>(
  batch: Batch<Item>,
  failure: FailedTransaction<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  let last = failure
  // a COPY into Citus hides which constraint was broken, and may name another row's line
  const byInsert = failure.plan.isCitus
  // the first round does not isolate what is checked at the end of the transaction
  for (const immediate of [false, true]) {
    if (context.budget.left === 0 || !last.rowsFault) throw last.error
    const { error, place } = last
    const addIsolated: AddBatches<Item> = writer => writer.addIsolated(batch, { error, place, immediate })
    const failed = yield* writeWithRetries([batch], addIsolated, context, byInsert)
    if (!failed) return
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
