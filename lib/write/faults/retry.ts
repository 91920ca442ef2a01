import { PgBatchError } from '../../errors.ts'
import { CallbackError, toPgBatchError } from './failure.ts'

/** How transient failures are met; all else is never tried again. */
export interface RetryOptions {
  /** Attempts after the first one; an integer ≥ 0, or Infinity. @default 10 */
  retries?: number | undefined
  /** The first delay's bound, which doubles with each attempt; milliseconds > 0. @default 100 */
  minDelayMs?: number | undefined
  /** No delay is longer; milliseconds ≥ `minDelayMs`. @default 5000 */
  maxDelayMs?: number | undefined
  /** Nothing is tried again once this much time has gone since the first failure; milliseconds > 0. @default Infinity */
  maxElapsedMs?: number | undefined
  /**
   * Has the last word on an error that would be tried again: false makes it final. It is not asked about permanent
   * errors.
   */
  shouldRetry?: ((error: Error) => boolean) | undefined
}

export interface RetryPolicy {
  readonly retries: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
  readonly maxElapsedMs: number
  readonly shouldRetry: (error: Error) => boolean
}

/**
 * Exponential backoff with full jitter: anything from 0 to the bound, so that writers which failed together do not
 * come back together.
 * @param attempt the one that failed, from 1
 * @param random from 0 to 1
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const bound = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1))
  return Math.round(random * bound)
}

/** True when another attempt is to be made after one that failed with a transient error. */
export function mayRetry(policy: RetryPolicy, error: Error, attempt: number, elapsedMs: number): boolean {
  if (attempt > policy.retries || elapsedMs >= policy.maxElapsedMs) return false
  try {
    return policy.shouldRetry(error)
  } catch (cause) {
    const outcome = error instanceof PgBatchError ? error.outcome : 'rolled-back'
    throw toPgBatchError(new CallbackError('retry.shouldRetry', cause), outcome, {}, 'write')
  }
}
