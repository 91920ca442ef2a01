import { PgBatchError } from '../../errors.ts'
import { noteProgress } from '../checkpoint/checkpoint.ts'
import type { SourceOrder } from '../checkpoint/source-order.ts'
import {
  CallbackError,
  type ErrorContext,
  errorContext,
  outcomeOf,
  toPgBatchError,
} from '../faults/failure.ts'
import { explainChange, tableChanged } from '../faults/table-changed.ts'
import { isRowsFault } from '../faults/transient.ts'
import type { OrphanedTransaction } from '../outcome/terminate-orphan.ts'
import type { Batch } from '../rows/batch.ts'
import { RowError, type RowRef } from '../rows/row-sender.ts'
import { noteSentValue } from './sent-value.ts'
import type { TransactionContext } from './transaction-context.ts'
import type { Committed, FailedTransaction } from './transaction-result.ts'
import { type OpenedTransaction, TransactionWriter } from './transaction-writer.ts'

export interface TransactionRequest<Item> {
  /** What is to be written, as far as that is known: `work` may add further batches. */
  readonly batches: readonly Batch<Item>[]
  /** All rows go by INSERT, whatever the plan's method. */
  readonly byInsert: boolean
}

/**
 * Runs one transaction: `work` adds batches, then it commits. A failure is located among the rows, rolled
 * back, and explained. The client goes back to the pool in every case.
 */
export async function runTransaction<Item>(
  context: TransactionContext<Item>,
  { batches, byInsert }: TransactionRequest<Item>,
  work: (writer: TransactionWriter<Item>) => Promise<void>,
): Promise<Committed<Item> | FailedTransaction<Item>> {
  const writer = new TransactionWriter(context, batches, byInsert)
  try {
    await work(writer)
    await commit(writer, context)
    return writer.result
  } catch (cause) {
    // a COPY meets what `onBegin` has done to the transaction as an error of its own
    const thrown = explainChange(writer.opened?.transaction.explained(cause) ?? cause, writer.plan.table)
    // in this order: the rollback forgets which rows were sent, and only after it the outcome is known
    const row = locate(thrown, writer.opened)
    const column = writer.opened?.rows.columnOf(thrown)
    const where = row ? errorContext(row) : { ...onlyBatch(writer), column }
    noteSentValue(thrown, row, writer.plan)
    const ifCommitted = writer.result
    await rollback(writer.opened)
    const error = explain(thrown, where, writer, context)
    return {
      ...whatMayBeCommitted(writer),
      ifCommitted,
      error,
      rowsFault: isRowsFault(thrown) || thrown instanceof RowError,
      row,
      // a transaction that fails early has not reached all that an earlier attempt had
      batches: writer.batches.length > batches.length ? writer.batches : batches,
      reachedBatches: writer.batches.length,
      plan: writer.plan,
      method: writer.method,
      orphan: orphanOf(writer.opened),
      rejects: writer.rejected.reserved,
    }
  } finally {
    if (writer.opened) context.transactions.release(writer.opened.transaction)
  }
}

async function commit<Item>(
  writer: TransactionWriter<Item>,
  context: TransactionContext<Item>,
): Promise<void> {
  const { opened } = writer
  if (opened) {
    const { rows, transaction, checkpoint } = opened
    context.signals.stop.throwIfAborted()
    if (context.transactions.expectsNext(rows.bytes) && !context.rollsBack) transaction.beginNext()
    await rows.close(commitsBehindRows(writer, context))
    if (transaction.state !== 'committed') await commitAfterRows(writer, opened, context)
    if (checkpoint) noteProgress(checkpoint.progress)
  }
  // the server has read all bytes, and no other attempt will need them
  writer.slabs.release()
}

/**
 * Returns true when nothing is asked between the last rows and COMMIT. Where rows may be dropped, their count
 * has to be known before, because the answer to COMMIT may be lost.
 */
function commitsBehindRows<Item>(
  { opened, plan, rejected }: TransactionWriter<Item>,
  { inTransaction, rollsBack }: TransactionContext<Item>,
): boolean {
  return (
    !rollsBack && plan.storesEveryRow && !inTransaction && !opened?.checkpoint && rejected.all.length === 0
  )
}

async function commitAfterRows<Item>(
  writer: TransactionWriter<Item>,
  opened: OpenedTransaction<Item>,
  context: TransactionContext<Item>,
): Promise<void> {
  const { plan, rejected } = writer
  const { rows, transaction, checkpoint } = opened
  // a trigger or a rule that drops rows has come since the table was introspected
  if (plan.rowResults?.by === 'counted' && rows.unchanged > 0) throw tableChanged(plan.table)
  await callInTransaction(writer, opened, context)
  if (rejected.all.length > 0) await rejected.store(transaction, plan.table)
  await checkpoint?.store()
  context.signals.stop.throwIfAborted()
  if (context.rollsBack) await rollBackInstead(opened)
  else await transaction.commit()
}

/** @throws what has ended the connection before */
async function rollBackInstead<Item>({ transaction, lease }: OpenedTransaction<Item>): Promise<void> {
  await transaction.rollback()
  if (lease.broken) throw lease.broken
}

/** Calls `inTransaction` with the written items of each batch that it has not been called for. */
export async function callInTransaction<Item>(
  { notes }: TransactionWriter<Item>,
  { transaction }: OpenedTransaction<Item>,
  { inTransaction, callbackTimeoutMs }: TransactionContext<Item>,
): Promise<void> {
  if (!inTransaction) return
  for (const note of notes) {
    const items = note.written()
    if (items.length === 0) continue
    try {
      await transaction.lend({
        option: 'inTransaction',
        timeoutMs: callbackTimeoutMs,
        use: client => inTransaction(client, items),
      })
    } catch (cause) {
      throw new CallbackError('inTransaction', cause)
    }
  }
}

/** Returns the row that an error of the server or of ours is about, where it names one. */
function locate<Item>(error: unknown, opened: OpenedTransaction<Item> | undefined): RowRef | undefined {
  if (error instanceof RowError) return error.row
  // a statement that timed out was at some row, too, but that row did not cause it
  return isRowsFault(error) ? opened?.rows.locate(error) : undefined
}

/** Never throws: a transaction that cannot be rolled back ends with its connection. */
async function rollback<Item>(opened: OpenedTransaction<Item> | undefined): Promise<void> {
  await opened?.rows.abort()
  await opened?.transaction.rollback()
}

/** Returns the error of a transaction that was rolled back, with its outcome and its row. */
function explain<Item>(
  error: unknown,
  where: ErrorContext,
  writer: TransactionWriter<Item>,
  { signals }: TransactionContext<Item>,
): PgBatchError {
  const { opened } = writer
  const outcome = outcomeOf(opened?.transaction.state ?? 'fresh')
  const { stop, kill } = signals
  // an error of ours is of this transaction, except the one that has stopped it: its outcome is of other rows
  if (stop.aborted && (!(error instanceof PgBatchError) || error === stop.reason || error === kill.reason)) {
    const details = { ...onlyBatch(writer), outcome, cause: stop.reason }
    return new PgBatchError('ABORTED', 'The stream was destroyed before the rows were committed', details)
  }
  return toPgBatchError(error, outcome, where, opened ? 'write' : 'connect')
}

/** Returns the batch that a failure is about, if the transaction has only one. */
function onlyBatch<Item>({ batches }: TransactionWriter<Item>): { batchId?: number } {
  return batches.length === 1 ? { batchId: batches[0]!.id } : {}
}

/** Returns what is needed to find the outcome of a COMMIT that was not answered, and to report it. */
function whatMayBeCommitted<Item>(writer: TransactionWriter<Item>) {
  const { opened } = writer
  const progress = opened?.checkpoint?.progress
  return {
    ticket: opened?.transaction.ticket,
    watch: opened?.transaction.watch,
    isLost: opened?.transaction.state === 'lost',
    reached: progress?.reached ?? new Map<string, SourceOrder>(),
    progress,
  }
}

function orphanOf<Item>(opened: OpenedTransaction<Item> | undefined): OrphanedTransaction | undefined {
  if (!opened?.lease.broken) return undefined
  const { ticket, state } = opened.transaction
  return ticket && { ticket, commitSent: state === 'committing' }
}
