import type { Outcome } from '../types.ts'
import { noteProgress } from './checkpoint/checkpoint.ts'
import { findOutcome } from './outcome/find-outcome.ts'
import { runTransaction, type TransactionRequest } from './transaction/run-transaction.ts'
import { traceTransaction } from './transaction/trace.ts'
import type { Committed, FailedTransaction } from './transaction/transaction-result.ts'
import type { TransactionWriter } from './transaction/transaction-writer.ts'
import type { WriteContext } from './write-context.ts'

/** One attempt at a transaction; they count from 1. */
export interface Attempt<Item> extends TransactionRequest<Item> {
  readonly attempt: number
}

/** A transaction that failed, and what the server answers about its outcome. */
export interface SettledFailure<Item> extends FailedTransaction<Item> {
  readonly outcome: Outcome
  /** The server is still committing it. */
  readonly stillOpen: boolean
}

/** Makes one attempt at a transaction, and publishes it where something listens. */
export function runAttempt<Item>(
  context: WriteContext<Item>,
  { attempt, ...request }: Attempt<Item>,
  work: (writer: TransactionWriter<Item>) => Promise<void>,
): Promise<Committed<Item> | SettledFailure<Item>> {
  const { table } = context.current.plan
  const { batches } = request
  return traceTransaction({ table, attempt, batches }, () => runToOutcome(context, request, work))
}

/** Runs one transaction, and asks the server for its outcome where the COMMIT was not answered. */
async function runToOutcome<Item>(
  context: WriteContext<Item>,
  request: TransactionRequest<Item>,
  work: (writer: TransactionWriter<Item>) => Promise<void>,
): Promise<Committed<Item> | SettledFailure<Item>> {
  await context.openOutcomes.none()
  const result = await runTransaction(context, request, work)
  if (!('error' in result)) return result
  const { error, progress, ifCommitted } = result
  const { outcome, stillOpen = false } = await findOutcome(error, result, context)
  if (error.outcome === 'committed' || outcome !== 'committed') return { ...result, outcome, stillOpen }
  if (progress) noteProgress(progress)
  return ifCommitted
}
