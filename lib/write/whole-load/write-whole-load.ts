import { withOutcome } from '../faults/failure.ts'
import { pause } from '../faults/pause.ts'
import { mayRetry, retryDelayMs } from '../faults/retry.ts'
import { terminateOrphan } from '../outcome/terminate-orphan.ts'
import type { Batch } from '../rows/batch.ts'
import { runAttempt } from '../run-attempt.ts'
import type { NextBatch, Progress, WriteContext } from '../write-context.ts'
import { loadAll } from './load-all.ts'

/**
 * Writes `first` and all batches that follow it in one transaction: all of them are committed at once, or
 * none. Yields what was committed.
 *
 *     no connection yet   → again after a pause: nothing was sent
 *     outcome unknown     → the server is asked: committed, or thrown
 *     any other failure   → thrown. Batches that were sent are no longer held, so the caller has to read its
 *                           source again
 *
 * @param first undefined for an input without a batch
 * @throws PgBatchError
 */
export async function* writeWholeLoad<Item>(
  first: Batch<Item> | undefined,
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  const { retry, signals } = context
  const batches = first ? [first] : []
  const startedAt = performance.now()
  for (let attempt = 1; ; attempt++) {
    const result = await runAttempt(context, { attempt, batches, byInsert: false }, writer =>
      loadAll(writer, first, next, context),
    )
    if (!('error' in result)) {
      yield { kind: 'committed', committed: result, attempts: attempt }
      return
    }
    const { outcome, orphan, ifCommitted } = result
    if (outcome === 'committed') yield { kind: 'committed-early', committed: ifCommitted }
    if (orphan) await terminateOrphan(orphan, context)
    const error = withOutcome(result.error, outcome)
    if (error.code === 'TABLE_CHANGED' && error.retryable) {
      await context.evolution?.addColumns(result.batches.slice(-1), result.plan)
    }
    const isAgain = outcome === 'not-sent' && error.retryable
    if (!isAgain || !mayRetry(retry, error, attempt, performance.now() - startedAt)) throw error
    const delayMs = retryDelayMs(retry, attempt, Math.random())
    yield { kind: 'retry', error, attempt, delayMs }
    await pause(delayMs, signals.stop, error)
  }
}
