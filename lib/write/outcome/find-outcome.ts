import type { PgBatchError } from '../../errors.ts'
import type { Outcome } from '../../types.ts'
import { pause } from '../faults/pause.ts'
import { type RetryPolicy, retryDelayMs } from '../faults/retry.ts'
import { isTransient } from '../faults/transient.ts'
import { isServerDown } from './note-failure.ts'
import type { OpenOutcomes } from './open-outcomes.ts'
import { type OpenOutcome, type OutcomeContext, resolveOutcome } from './resolve-outcome.ts'

/** Asking is worth more patience than sending: until there is an answer the rows can neither be kept nor let go. */
const MIN_QUESTIONS = 10

/** What is known of a transaction that failed. */
export interface MaybeCommitted extends OpenOutcome {
  /** A callback, not the writer, has ended the transaction, and the server cannot say how. */
  readonly isLost: boolean
}

export interface FindOutcomeContext extends OutcomeContext {
  readonly retry: RetryPolicy
  readonly openOutcomes: OpenOutcomes
}

export interface ResolvedOutcome {
  readonly outcome: Outcome
  /** The server is still at the COMMIT: to write the same rows again would only wait for it, or write them twice. */
  readonly stillOpen?: boolean
}

/**
 * Returns the outcome of a failed transaction's rows. Where only the server can know it, asks the server, through
 * restarts and failovers. A COMMIT that is still under way after `commitTimeoutMs`, because it waits for a
 * synchronous standby, stays unknown.
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
  return openOutcomes.during(async () => {
    // asked more closely than that, what is asked between counts as the same question
    for (let questions = 1; ; questions++) {
      const nextAt = performance.now() + retryDelayMs(retry, questions, Math.random())
      do {
        let isDown = false
        try {
          const outcome = await resolveOutcome(transaction, context)
          if (outcome !== 'in-progress') return { outcome }
          if (performance.now() >= deadline) return { outcome: 'unknown', stillOpen: true }
        } catch (failure) {
          const asked = questions >= Math.max(retry.retries, MIN_QUESTIONS) && performance.now() >= deadline
          if (asked || !isTransient(failure)) return { outcome: 'unknown' }
          isDown = isServerDown(failure)
        }
        const now = performance.now()
        const restMs = Math.max(0, nextAt - now)
        await pause(Math.min(restMs, closePauseMs(now - startedAt, isDown)), signals.stop, error)
      } while (performance.now() < nextAt)
    }
  })
}

/**
 * How long the next question waits at most. The stream watches a server that is down so closely that it hardly comes up
 * and crashes again unnoticed, see `ServerWatch`.
 */
export function closePauseMs(elapsedMs: number, isDown: boolean): number {
  if (elapsedMs < 1000) return 10
  return isDown && elapsedMs < 60_000 ? 50 : Number.POSITIVE_INFINITY
}
