import type { RetryEvent } from '../../writable/events.ts'

/** What the line shows of a retry. */
interface Failed extends Pick<RetryEvent, 'attempt' | 'delayMs'> {
  readonly error: Pick<RetryEvent['error'], 'reason'>
}

/** Returns `The connection failed: …; trying again in 0.4 s (attempt 2)`. */
export function retryLine({ error, attempt, delayMs }: Failed): string {
  return `${error.reason}; trying again in ${(delayMs / 1000).toFixed(1)} s (attempt ${attempt + 1})`
}
