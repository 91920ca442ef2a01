import type { PgBatchError } from '../errors.ts'
import { adaptPlan } from './adapt-plan.ts'
import { withOutcome } from './faults/failure.ts'
import { isFinal } from './faults/is-final.ts'
import { pause } from './faults/pause.ts'
import { mayRetry, retryDelayMs } from './faults/retry.ts'
import { mayHideSqlState } from './faults/transient.ts'
import { type OrphanedTransaction, terminateOrphan } from './outcome/terminate-orphan.ts'
import type { Batch } from './rows/batch.ts'
import { runAttempt, type SettledFailure } from './run-attempt.ts'
import type { FailedTransaction } from './transaction/transaction-result.ts'
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
    const result = await runAttempt(context, { attempt, batches, byInsert }, writer =>
      addBatches(writer, batches, takesMore),
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
    const refused: PgBatchError = errorOf(result, isEarlierUnknown)
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

/**
 * Returns the error of a failed attempt. Its outcome is unknown as long as that of an earlier attempt at the
 * same rows is. One that has read the checkpoint has found out that the earlier one was rolled back.
 */
function errorOf<Item>(
  { error, outcome, reached }: SettledFailure<Item>,
  isEarlierUnknown: boolean,
): PgBatchError {
  const knowsEarlier = reached.size > 0 || error.code === 'CHECKPOINT_REGRESSED'
  return withOutcome(error, isEarlierUnknown && !knowsEarlier ? 'unknown' : outcome)
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
