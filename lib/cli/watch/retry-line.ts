import type { RetryEvent } from '../../writable/events.ts'

/** Returns `The connection failed: …; trying again in 0.4 s (attempt 2)`. */
export function retryLine({ error, attempt, delayMs }: RetryEvent): string {
  return `${error.reason}; trying again in ${(delayMs / 1000).toFixed(1)} s (attempt ${attempt + 1})`
}
