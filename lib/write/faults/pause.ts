import { setTimeout as sleep } from 'node:timers/promises'
import { PgBatchError } from '../../errors.ts'

/**
 * Waits before a retry.
 * @throws PgBatchError when the stream is destroyed while it waits
 */
export async function pause(ms: number, stop: AbortSignal, failure: PgBatchError): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: stop })
  } catch {
    const { outcome, batchId } = failure
    const reason = `The stream was destroyed while it waited to try again after: ${failure.reason}`
    throw new PgBatchError('ABORTED', reason, { outcome, batchId, cause: stop.reason })
  }
}
