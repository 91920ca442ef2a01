import type { PgBatchError } from '../../errors.ts'
import { DEFAULT_RETRY } from '../../writable/resolve/check-retry.ts'
import { toPgBatchError } from '../../write/faults/failure.ts'
import { pause } from '../../write/faults/pause.ts'
import { mayRetry, retryDelayMs } from '../../write/faults/retry.ts'
import { ExitError } from '../exit-error.ts'
import { retryLine } from '../watch/retry-line.ts'

export interface RetryingOptions {
  /** The table or the server: begins the line about a failure that was not explained. */
  readonly name: string
  /** Prints a line about each failure after which another attempt follows. */
  readonly notify: (line: string) => void
  /** Ends the retries. */
  readonly signal?: AbortSignal | undefined
  /** Returns true for a transient error. @default as for the rows of a load */
  readonly isTransient?: (error: PgBatchError) => boolean
}

/**
 * Does work again after a transient failure, with the number of attempts and the delays that rows have. Only
 * for work that may be done twice.
 * @throws the last failure, also when the signal aborts
 */
export async function retrying<T>(
  { name, notify, signal, isTransient = error => error.retryable }: RetryingOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      const error = failureOf(thrown)
      if (signal?.aborted || !isTransient(error) || !mayRetry(DEFAULT_RETRY, error, attempt, 0)) throw thrown
      const delayMs = retryDelayMs(DEFAULT_RETRY, attempt, Math.random())
      const reason = thrown instanceof ExitError ? thrown.message : `${name}: ${error.reason}`
      notify(retryLine({ error: { reason }, attempt, delayMs }))
      await pause(delayMs, signal ?? new AbortController().signal, error).catch(() => {
        throw thrown
      })
    }
  }
}

/** Returns the failure; for one that was explained already, its cause. */
function failureOf(thrown: unknown): PgBatchError {
  return toPgBatchError(thrown instanceof ExitError ? thrown.cause : thrown, 'not-sent', {}, 'write')
}
