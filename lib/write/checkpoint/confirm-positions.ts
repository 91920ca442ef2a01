import { setTimeout as sleep } from 'node:timers/promises'
import type { PgClientLike, PgPoolLike } from '../../connection/pg-types.ts'
import type { StopSignals } from '../../connection/pool/lease.ts'
import { queryText } from '../../connection/query-text.ts'
import { isServerError, UNDEFINED_TABLE } from '../../connection/server-error.ts'
import { StandbyError } from '../../connection/transaction/outcome.ts'
import { PgBatchError } from '../../errors.ts'
import { watchPositions } from '../../table/checkpoint-sql.ts'
import { type Beginning, useAfterOnBegin } from '../begin/on-begin.ts'
import { type RetryPolicy, retryDelayMs } from '../faults/retry.ts'
import { isTransient } from '../faults/transient.ts'
import { checkWatched, watchedValues } from './check-watched.ts'
import type { CheckpointPlan } from './checkpoint.ts'
import { type CommittedPosition, checkpointRegressed } from './committed-positions.ts'

/** What the last check of the checkpoint needs of a stream. */
interface ConfirmContext<Item> extends Beginning {
  readonly checkpoint: CheckpointPlan<Item> | undefined
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly limits: { readonly commitTimeoutMs: number }
  readonly retry: RetryPolicy
}

/**
 * Checks at the end of a stream that the server still has what the stream has committed: no further
 * transaction would notice that the last commits are lost. A server that does not answer within
 * `commitTimeoutMs` fails nothing, because it has confirmed each commit before.
 * @throws PgBatchError with code CHECKPOINT_REGRESSED
 */
export async function confirmPositions<Item>(context: ConfirmContext<Item>): Promise<void> {
  const { checkpoint, pool, signals, limits, retry } = context
  const known = checkpoint?.committed.latest() ?? []
  if (!checkpoint || known.length === 0) return
  const started = performance.now()
  for (let attempt = 1; ; attempt++) {
    const leftMs = limits.commitTimeoutMs - (performance.now() - started)
    if (leftMs <= 0) return
    try {
      await useAfterOnBegin(pool, context, client => check(client, checkpoint, known), leftMs, signals)
      return
    } catch (error) {
      // everything is committed: that `onBegin` fails now is no reason to fail
      if (error instanceof PgBatchError && error.code !== 'CALLBACK_FAILED') throw error
      const delayMs = retryDelayMs(retry, attempt, Math.random())
      if (signals.stop.aborted || !isTransient(error) || attempt > retry.retries || delayMs >= leftMs) return
      await sleep(delayMs, undefined, { signal: signals.stop }).catch(() => {})
    }
  }
}

async function check<Item>(
  client: PgClientLike,
  { table }: CheckpointPlan<Item>,
  known: readonly CommittedPosition[],
): Promise<void> {
  try {
    const { rows } = await queryText(client, watchPositions(table), watchedValues(known))
    checkWatched(known, rows)
  } catch (error) {
    const isGone = isServerError(error) && error.code === UNDEFINED_TABLE
    if (!isGone && !(error instanceof PgBatchError)) throw error
    if (await isStandby(client)) throw new StandbyError()
    throw isGone ? checkpointRegressed(known[0]!, undefined, { cause: error }) : error
  }
}

/** A standby has less than its primary while it lags; nothing is lost then. */
async function isStandby(client: PgClientLike): Promise<boolean> {
  try {
    const { rows } = await queryText(client, 'SELECT pg_catalog.pg_is_in_recovery()::text AS standby')
    return rows[0]?.standby === 'true'
  } catch (error) {
    if (!isServerError(error)) throw error
    return false // not PostgreSQL, so not a standby of its kind
  }
}
