import type { Writable } from 'node:stream'
import { allowListeners } from '../streams/listener-limit.ts'
import type { Outcome, Stats } from '../types.ts'

/** Calls `onAbort` once when the signal aborts, as long as the stream is open. */
export function whenAborted(signal: AbortSignal, stream: Writable, onAbort: () => void): void {
  allowListeners(signal, 1)
  // later, so that a pipeline() which is built in this tick reports it: it rejects a stream that is destroyed
  // already
  if (signal.aborted) process.nextTick(onAbort)
  else signal.addEventListener('abort', onAbort, { once: true })
  stream.once('close', () => {
    signal.removeEventListener('abort', onAbort)
    allowListeners(signal, -1)
  })
}

/**
 * Returns the outcome of the rows of a stream that was aborted.
 * @param failures how the transactions that failed have ended
 */
export function outcomeOfAbort(
  { rowsPending, rowsCommitted, rowsUnchanged }: Stats,
  failures: ReadonlySet<Outcome>,
): Outcome {
  if (failures.has('unknown')) return 'unknown'
  if (rowsPending === 0 && rowsCommitted + rowsUnchanged > 0) return 'committed'
  return failures.has('rolled-back') ? 'rolled-back' : 'not-sent'
}
