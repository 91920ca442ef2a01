import type { Outcome } from '../types.ts'
import { adaptPlan } from './adapt-plan.ts'
import { noteProgress } from './checkpoint/checkpoint.ts'
import { withOutcome } from './faults/failure.ts'
import { isFinal } from './faults/is-final.ts'
import { pause } from './faults/pause.ts'
import { mayRetry, retryDelayMs } from './faults/retry.ts'
import { mayHideSqlState } from './faults/transient.ts'
import { findOutcome } from './outcome/find-outcome.ts'
import { type OrphanedTransaction, terminateOrphan } from './outcome/terminate-orphan.ts'
import type { Batch } from './rows/batch.ts'
import { runTransaction, type TransactionRequest } from './transaction/run-transaction.ts'
import { traceTransaction } from './transaction/trace.ts'
import type { Committed, FailedTransaction } from './transaction/transaction-result.ts'
import type { TransactionWriter } from './transaction/transaction-writer.ts'
import type { Progress, WriteContext } from './write-context.ts'

/** Adds batches to a transaction and, if `takesMore`, further ones that are ready. */
export type AddBatches<Item> = (
  writer: TransactionWriter<Item>,
  batches: readonly Batch<Item>[],
  takesMore: boolean,
) => Promise<void>

/** A failure that the same attempt would meet again. */
export interface FinalFailure<Item> extends FailedTransaction<Item> {
  /** Batches after those of the failed transaction, which an earlier, larger one had taken. */
  readonly rest: readonly Batch<Item>[]
}

/**
 * Runs transactions until all batches are committed, or until a failure is final, which it returns. Each
 * commit gives back all attempts. The next transaction follows a failed one
 *
 *     at once, by INSERT             when a COPY into Citus may have hidden the error
 *     at once, by the table's plan   when the table was altered, by another session or by the option `evolve`
 *     after a pause, with less       when the error is transient
 */
export async function* writeWithRetries<Item>(
  first: readonly Batch<Item>[],
  addBatches: AddBatches<Item>,
  context: WriteContext<Item>,
  startsWithInsert = false,
): AsyncGenerator<Progress<Item>, FinalFailure<Item> | undefined> {
  const { budget, retry, signals, size } = context
  let waiting = first
  let failedAt: number | undefined
  let orphan: OrphanedTransaction | undefined
  let byInsert = startsWithInsert
  let hasReplanned = false
  let isEarlierUnknown = false
  for (let attempt = 1; ; attempt++) {
    const batches = waiting.slice(0, size.limit)
    const rest = waiting.slice(batches.length)
    const takesMore = attempt === 1 && rest.length === 0
    const { table } = context.current.plan
    const result = await traceTransaction({ table, attempt, batches }, () =>
      runToOutcome(context, { batches, byInsert }, writer => addBatches(writer, batches, takesMore)),
    )
    if (!('error' in result)) {
      size.committed(result.batches.length)
      yield { kind: 'committed', committed: result, attempts: attempt }
      if (rest.length === 0) return undefined
      waiting = rest
      attempt = 0
      failedAt = undefined
      continue
    }
    if (result.outcome === 'committed') {
      yield { kind: 'committed-early', committed: result.ifCommitted }
      return { ...result, rest }
    }
    budget.release(result.rejects)
    waiting = [...result.batches, ...rest]
    failedAt ??= performance.now()
    // an attempt that has read the checkpoint has found out that the earlier one was rolled back
    const knowsEarlier = result.reached.size > 0 || result.error.code === 'CHECKPOINT_REGRESSED'
    const isUnknown = isEarlierUnknown && !knowsEarlier
    const refused = withOutcome(result.error, isUnknown ? 'unknown' : result.outcome)
    isEarlierUnknown = refused.outcome === 'unknown'
    if (!byInsert && hidesSqlState({ ...result, error: refused })) {
      byInsert = true
      continue
    }
    const adapted = await adaptPlan({ ...result, error: refused }, context, hasReplanned)
    if (adapted === true) {
      hasReplanned = true
      continue
    }
    const error = adapted || refused
    const failed = { ...result, error, rest }
    if (canRetry(failed, context) && mayRetry(retry, error, attempt, performance.now() - failedAt)) {
      if (error.outcome !== 'not-sent') size.failed(failed.reachedBatches)
      const delayMs = retryDelayMs(retry, attempt, Math.random())
      yield { kind: 'retry', error, attempt, delayMs }
      await pause(delayMs, signals.stop, error)
      orphan = failed.orphan ?? orphan
      if (orphan && (await terminateOrphan(orphan, context))) orphan = undefined
    } else {
      // a statement that a callback has left running would hold its locks until its statement_timeout
      if (error.code === 'CALLBACK_FAILED' && failed.orphan) await terminateOrphan(failed.orphan, context)
      return failed
    }
  }
}

/** A transaction that failed, and what the server answers about its outcome. */
interface SettledFailure<Item> extends FailedTransaction<Item> {
  readonly outcome: Outcome
  /** The server is still committing it. */
  readonly stillOpen: boolean
}

/** Runs one transaction, and asks the server for its outcome where the COMMIT was not answered. */
export async function runToOutcome<Item>(
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

/**
 * Returns true when a COPY has failed and INSERTs of the same rows would report why, see `mayHideSqlState`.
 */
function hidesSqlState<Item>({ plan, method, error }: FailedTransaction<Item>): boolean {
  return plan.isCitus && method === 'copy' && !isFinal(error) && mayHideSqlState(error.cause)
}

/** Returns true for a transient error after which writing the same rows again is safe. */
function canRetry<Item>(
  { error, outcome, stillOpen, plan }: SettledFailure<Item>,
  { isIdempotent }: WriteContext<Item>,
): boolean {
  return error.retryable && !stillOpen && (outcome !== 'unknown' || isIdempotent(plan))
}
