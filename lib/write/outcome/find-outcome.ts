import { isServerError } from '../../connection/server-error.ts'
import type { PgBatchError } from '../../errors.ts'
import type { Outcome } from '../../types.ts'
import { pause } from '../faults/pause.ts'
import type { RetryPolicy } from '../faults/retry.ts'
import { isTransient } from '../faults/transient.ts'
import { isServerDown } from './note-failure.ts'
import type { OpenOutcomes } from './open-outcomes.ts'
import { type Found, QuestionSchedule } from './question-schedule.ts'
import { type OpenOutcome, type OutcomeContext, resolveOutcome } from './resolve-outcome.ts'

/**
 * The server is asked at least so often, even if `retries` is lower: without an answer rows can be neither
 * kept nor released.
 */
const MIN_QUESTIONS = 10

/** What is known of a transaction that failed. */
export interface MaybeCommitted extends OpenOutcome {
  /** Something other than the stream has ended the transaction, and the server cannot say how. */
  readonly isLost: boolean
}

export interface FindOutcomeContext extends OutcomeContext {
  readonly retry: RetryPolicy
  readonly openOutcomes: OpenOutcomes
}

export interface ResolvedOutcome {
  readonly outcome: Outcome
  /** The server has not finished the COMMIT: the same rows would wait for it, or be written twice. */
  readonly stillOpen?: boolean
}

/**
 * Returns the outcome of a failed transaction's rows. Where only the server can know it, asks the server,
 * through restarts and failovers. A COMMIT that still waits for a synchronous standby after `commitTimeoutMs`
 * stays unknown.
 */
export async function findOutcome(
  error: PgBatchError,
  transaction: MaybeCommitted,
  context: FindOutcomeContext,
): Promise<ResolvedOutcome> {
  const { signals, openOutcomes, retry, limits } = context
  if (error.outcome !== 'unknown' || signals.stop.aborted) return { outcome: error.outcome }
  if (transaction.isLost) return { outcome: 'unknown' }
  const startedAt = performance.now()
  const deadline = startedAt + limits.commitTimeoutMs
  const schedule = new QuestionSchedule(retry, startedAt)
  const enough = Math.max(retry.retries, MIN_QUESTIONS)
  return openOutcomes.during(async () => {
    while (true) {
      const answer = await askOnce(transaction, context)
      if ('outcome' in answer) return answer
      const now = performance.now()
      const pauseMs = schedule.pauseMs(now, answer.found)
      const isLate = now >= deadline
      if (isLate && answer.isInProgress) return { outcome: 'unknown', stillOpen: true }
      if (isLate && schedule.questions >= enough) return { outcome: 'unknown' }
      await pause(pauseMs, signals.stop, error)
    }
  })
}

/** The outcome, or what a question without one has found. */
type Answer = ResolvedOutcome | { readonly found: Found; readonly isInProgress: boolean }

async function askOnce(transaction: MaybeCommitted, context: FindOutcomeContext): Promise<Answer> {
  try {
    const outcome = await resolveOutcome(transaction, context)
    return outcome === 'in-progress' ? { found: 'nothing', isInProgress: true } : { outcome }
  } catch (failure) {
    if (!isTransient(failure)) return { outcome: 'unknown' }
    return { found: foundBy(failure), isInProgress: false }
  }
}

function foundBy(failure: unknown): Found {
  if (isServerDown(failure)) return 'down'
  return isServerError(failure) ? 'refusal' : 'nothing'
}
