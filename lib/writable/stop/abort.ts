import type { Writable } from 'node:stream'
import { onAbort } from '../../streams/on-abort.ts'
import type { Outcome, Stats } from '../../types.ts'

/** Calls `run` once when the signal aborts, as long as the stream is open. */
export function whenAborted(signal: AbortSignal, stream: Writable, run: () => void): void {
  // later, so that a pipeline() which is built in this tick reports it: it rejects a stream that is destroyed
  // already
  if (signal.aborted) process.nextTick(run)
  else stream.once('close', onAbort(signal, run))
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
