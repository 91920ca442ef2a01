import { refusePromise } from '../../connection/transaction/callbacks/callback-limits.ts'
import { PgBatchError } from '../../errors.ts'
import { MAX_TIMER_MS } from '../../values/time/timer-limit.ts'
import { CallbackError, toPgBatchError } from './failure.ts'

/** How transient failures are retried. Other failures are never retried. */
export interface RetryOptions {
  /** Attempts after the first one; an integer ≥ 0, or Infinity. @default 10 */
  retries?: number | undefined
  /** The bound of the first delay, which doubles with each attempt; milliseconds > 0. @default 100 */
  minDelayMs?: number | undefined
  /** The bound of every delay; milliseconds ≥ `minDelayMs`. @default 5000 */
  maxDelayMs?: number | undefined
  /** How long after the first failure another attempt may begin; milliseconds > 0. @default Infinity */
  maxElapsedMs?: number | undefined
  /** Decides about an error that would be retried: false makes it final. Not called for permanent errors. */
  shouldRetry?: ((error: Error) => boolean) | undefined
}

export interface RetryPolicy {
  readonly retries: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
  readonly maxElapsedMs: number
  readonly shouldRetry: (error: Error) => boolean
}

/** A failure after which another attempt follows. */
export interface Retry {
  readonly error: PgBatchError
  /** The attempt that has failed, from 1. */
  readonly attempt: number
  readonly delayMs: number
}

/**
 * Returns the delay before the next attempt: exponential backoff with full jitter, which is anything from 0
 * to the bound, so that writers which failed together do not come back together.
 * @param attempt the one that failed, from 1
 * @param random from 0 to 1
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const bound = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1), MAX_TIMER_MS)
  return Math.round(random * bound)
}

/** Returns true when an attempt that failed with a transient error is to be followed by another one. */
export function mayRetry(policy: RetryPolicy, error: Error, attempt: number, elapsedMs: number): boolean {
  if (attempt > policy.retries || elapsedMs >= policy.maxElapsedMs) return false
  try {
    const answer = policy.shouldRetry(error)
    refusePromise('retry.shouldRetry', answer)
    return answer
  } catch (cause) {
    const outcome = error instanceof PgBatchError ? error.outcome : 'rolled-back'
    throw toPgBatchError(new CallbackError('retry.shouldRetry', cause), outcome, {}, 'write')
  }
}
