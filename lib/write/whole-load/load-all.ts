import { CallbackError } from '../faults/failure.ts'
import { type Batch, forgetRows } from '../rows/batch.ts'
import { callInTransaction } from '../transaction/run-transaction.ts'
import type { TransactionWriter } from '../transaction/transaction-writer.ts'
import type { NextBatch, WriteContext } from '../write-context.ts'

/**
 * How much longer the statements at the end may take, for each row: they work on all rows at once. The server
 * checks foreign keys there, and merges upserts; it does 20 rows and more in that time.
 */
const PATIENCE_MS_PER_ROW = 1

/**
 * Writes the first batch and all that follow, up to the end of the input. What follows is only COMMIT.
 *
 * Without rejects and callbacks the rows travel as one COPY, which the server judges as a whole, as it does
 * with `\copy` of psql: a row may refer to a later one. Upserts are merged once, at the end. Otherwise each
 * batch is completed before the next one; with rejects under a savepoint.
 */
export async function loadAll<Item>(
  writer: TransactionWriter<Item>,
  first: Batch<Item>,
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): Promise<void> {
  const { signals, keepsItems, budget, inTransaction } = context
  const rejects = budget.left > 0
  const isOneByOne = rejects || inTransaction !== undefined || !writer.plan.mayGroup
  for (let batch: Batch<Item> | undefined = first; batch; batch = await nextOf(writer, next)) {
    if (isOneByOne) await writer.addPiece(batch, rejects)
    else await writer.add(batch)
    await afterBatch(writer, context)
    if (!keepsItems) forgetRows(batch)
    writer.slabs.forget() // the socket may still send them
  }
  signals.stop.throwIfAborted()
  await complete(writer, context)
}

/** Waits for the next batch, as long as the connection lasts: the source may pause for minutes. */
function nextOf<Item>({ opened }: TransactionWriter<Item>, next: NextBatch<Item>) {
  return opened ? opened.lease.whileConnected(next('waits')) : next('waits')
}

async function afterBatch<Item>(writer: TransactionWriter<Item>, context: WriteContext<Item>): Promise<void> {
  const { opened, notes } = writer
  if (!opened || !context.inTransaction) return
  await callInTransaction(writer, opened, context)
  notes.length = 0
  opened.transaction.proveWithNext()
}

/** Waits until the server has stored all rows, and has checked what it would check at COMMIT. */
async function complete<Item>(
  { opened, items, skipped, rejected }: TransactionWriter<Item>,
  { limits, beforeCommit }: WriteContext<Item>,
): Promise<void> {
  if (!opened) return
  const { rows, transaction, lease } = opened
  transaction.patienceMs = items * PATIENCE_MS_PER_ROW
  await rows.close()
  // COMMIT has a shorter deadline, and an error of it would leave the outcome to be asked for
  if (limits.ticketed) await transaction.query('SET CONSTRAINTS ALL IMMEDIATE')
  if (!beforeCommit) return
  const { length } = rejected.all
  try {
    await lease.whileConnected(
      Promise.resolve(beforeCommit({ rows: items - skipped - length, rejected: length })),
    )
  } catch (cause) {
    throw lease.broken ?? new CallbackError('beforeCommit', cause)
  }
}
