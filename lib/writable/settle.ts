import { unlessAborted, withDeadline } from '../connection/pool/lease.ts'
import { withinCallbackTime } from '../connection/transaction/callbacks/callback-limits.ts'
import { CallbackError, toPgBatchError } from '../write/faults/failure.ts'
import type { DeadLetterFile } from '../write/rejects/dead-letter-file.ts'
import type { DeadLetterStream } from '../write/rejects/dead-letter-stream.ts'
import type { Committed } from '../write/transaction/transaction-result.ts'
import type { WriteOptions } from '../write/write-options.ts'
import type { EventSender } from './event-sender.ts'
import type { CommitEvent } from './events.ts'

/** Who hears of a commit. */
export interface Settling<Item> {
  readonly events: EventSender<Item>
  readonly deadLetterStream: DeadLetterStream | undefined
  readonly deadLetterFile: DeadLetterFile | undefined
  readonly afterCommit: WriteOptions<Item>['afterCommit']
  readonly callbackTimeoutMs: number
  /** Aborts what is waited for: the stream is over. */
  readonly cut: AbortSignal
}

/**
 * Does what follows a COMMIT: emits the events, hands the rejected rows to the dead letter, and calls
 * `afterCommit` for each batch, in this order.
 * @throws PgBatchError with `outcome: 'committed'` and code CALLBACK_FAILED
 */
export async function settle<Item>(
  committed: Committed<Item>,
  attempts: number,
  settling: Settling<Item>,
): Promise<void> {
  const { batches, rejected, settled } = committed
  const { events, afterCommit } = settling
  try {
    events.commit(commitEvent(committed, attempts))
    for (const reject of rejected) events.reject(reject)
  } finally {
    // also where a listener throws: nothing else has these rows
    await sendRejects(rejected, settling)
  }
  if (!afterCommit) return
  for (const [index, batch] of batches.entries()) {
    await wait('afterCommit', batch.id, settling, () => afterCommit(batch.items, settled[index]!))
  }
}

/**
 * How long a dead letter may take for a row after the stream is over. The row is committed as rejected, and
 * nothing else has it.
 */
const STUCK_MS = 500

/** How many rows the dead letter gets at once at most. */
const MAX_AT_ONCE = 256

/** Hands rejected rows to the dead letter, if there is one. */
async function sendRejects<Item>(
  rejected: Committed<Item>['rejected'],
  settling: Settling<Item>,
): Promise<void> {
  const { deadLetterStream, deadLetterFile, cut } = settling
  if (deadLetterStream) {
    const atOnce = Math.min(deadLetterStream.room, MAX_AT_ONCE)
    for (let from = 0; from < rejected.length; from += atOnce) {
      const some = rejected.slice(from, from + atOnce)
      const taken = deadLetterStream.send(some)
      // each has the time limit of a callback, from when the one before it was taken
      for (const [index, { batchId }] of some.entries())
        await wait('deadLetter', batchId, settling, () => taken[index]!, STUCK_MS)
    }
  }
  if (deadLetterFile && rejected.length > 0) {
    // a move has time limits of its own
    await waitFor('deadLetter', rejected[0]!.batchId, () => unlessAborted(deadLetterFile.move(), cut))
  }
}

export function commitEvent<Item>(committed: Committed<Item>, attempts: number): CommitEvent {
  const { batches, rows, unchanged, bytes, method, durationMs } = committed
  return {
    batchId: batches[0]?.id ?? 0,
    rows,
    rowsUnchanged: unchanged,
    bytes,
    method,
    attempts,
    durationMs,
    batches: batches.length,
  }
}

/**
 * Waits for the work of a callback, no longer than a callback may take, nor than the stream lasts.
 * @param graceMs how long it may take after the stream is over
 */
function wait(
  option: string,
  batchId: number,
  { callbackTimeoutMs, cut }: Pick<Settling<never>, 'callbackTimeoutMs' | 'cut'>,
  work: () => void | Promise<void>,
  graceMs = 0,
): Promise<void> {
  return waitFor(option, batchId, async () => {
    const done = withinCallbackTime(option, callbackTimeoutMs, work)
    try {
      await unlessAborted(done, cut)
    } catch (error) {
      if (!cut.aborted || graceMs === 0) throw error
      await withDeadline(done, graceMs)
    }
  })
}

async function waitFor(option: string, batchId: number, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw toPgBatchError(new CallbackError(option, cause), 'committed', { batchId }, 'write')
  }
}
