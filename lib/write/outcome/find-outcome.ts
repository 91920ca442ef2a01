import type { PgBatchError } from '../../errors.ts'
import type { Outcome } from '../../types.ts'
import { pause } from '../faults/pause.ts'
import { type RetryPolicy, retryDelayMs } from '../faults/retry.ts'
import { isTransient } from '../faults/transient.ts'
import { isServerDown } from './note-failure.ts'
import type { OpenOutcomes } from './open-outcomes.ts'
import { type OpenOutcome, type OutcomeContext, resolveOutcome } from './resolve-outcome.ts'

/**
 * Questions at least, whatever `retries` says: without an answer the rows can neither be kept nor released.
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
  return openOutcomes.during(async () => {
    // close questions while the server is down are part of one counted question
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
 * Returns how long the next question waits at most. A server that is down is watched so closely that it can
 * hardly start and crash again unnoticed, see `ServerWatch`.
 */
export function closePauseMs(elapsedMs: number, isDown: boolean): number {
  if (elapsedMs < 1000) return 10
  return isDown && elapsedMs < 60_000 ? 50 : Number.POSITIVE_INFINITY
}
