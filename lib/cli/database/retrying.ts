import type { PgBatchError } from '../../errors.ts'
import { DEFAULT_RETRY } from '../../writable/resolve/check-retry.ts'
import { toPgBatchError } from '../../write/faults/failure.ts'
import { pause } from '../../write/faults/pause.ts'
import { mayRetry, retryDelayMs } from '../../write/faults/retry.ts'
import { ExitError } from '../exit-error.ts'
import { retryLine } from '../watch/retry-line.ts'

export interface Retrying {
  /** Prints a line about each failure after which another attempt follows. */
  readonly notify: (line: string) => void
  /** Ends the wait for another attempt. */
  readonly signal?: AbortSignal | undefined
  /** Says whether an error is transient. @default as for the rows of a load */
  readonly isTransient?: (error: PgBatchError) => boolean
}

/**
 * Does work again after a transient failure, as often and as patiently as the rows of a load are sent again.
 * Only for work that may be done twice.
 * @throws the last failure; at the signal, too
 */
export async function retrying<T>(
  { notify, signal, isTransient = error => error.retryable }: Retrying,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      const error = failureOf(thrown)
      if (signal?.aborted || !isTransient(error) || !mayRetry(DEFAULT_RETRY, error, attempt, 0)) throw thrown
      const delayMs = retryDelayMs(DEFAULT_RETRY, attempt, Math.random())
      const reason = thrown instanceof ExitError ? thrown.message : error.reason
      notify(retryLine({ error: { reason }, attempt, delayMs }))
      await pause(delayMs, signal ?? new AbortController().signal, error).catch(() => {
        throw thrown
      })
    }
  }
}

/** Returns what has failed. Where it was explained already, that is the cause. */
function failureOf(thrown: unknown): PgBatchError {
  return toPgBatchError(thrown instanceof ExitError ? thrown.cause : thrown, 'not-sent', {}, 'write')
}
