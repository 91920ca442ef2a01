import { setTimeout as sleep } from 'node:timers/promises'
import { PgBatchError } from '../../../lib/index.ts'
import type { FaultCase } from '../cases/cases.ts'
import type { Database } from '../servers/server.ts'
import { type LoadEnd, type LoadPlan, runLoad } from './load.ts'
import { loadByCommand } from './load-by-command.ts'
import type { Tables } from './tables.ts'

/** A load has this long to settle once the last fault is over. */
export const SETTLE_MS = 30_000

/** How the passes of a load have ended. */
export interface LoadsEnd {
  readonly sent: number
  readonly hung: boolean
  readonly errors: readonly Error[]
  /** The failure that a fault had to cause. The source is not started again after it. */
  readonly expected: Error | undefined
  readonly last: LoadEnd | undefined
}

interface KeepLoadingOptions {
  readonly writers: number
  /** True for a failure that a fault has to lead to, or may. */
  readonly explains: (error: Error) => boolean
  /** True for a failure after which the source is read from its beginning again. */
  readonly mayStartAgain: (error: Error) => boolean
  readonly afterFailure: (error: Error) => Promise<void>
}

/**
 * Runs one writer, or rivals who all write the same rows. With a checkpoint a failed pipeline's source is
 * read from its beginning again, until a pipeline resolves.
 */
export function keepLoading(
  plan: LoadPlan,
  { writers, explains, mayStartAgain, afterFailure }: KeepLoadingOptions,
) {
  const errors: Error[] = []
  const last: LoadEnd[] = []
  let sent = 0
  let expected: Error | undefined
  const write = async (writer: number): Promise<void> => {
    while (true) {
      // a source that is read again has at least what it has given out before
      const end = await runLoad({ ...plan, leastRows: Math.max(plan.leastRows, sent) })
      sent = Math.max(sent, end.sent)
      last[writer] = end
      if (!end.error) return
      const isExpected = explains(end.error)
      if (isExpected && !plan.shape.checkpoint) {
        expected = end.error
        return
      }
      errors.push(end.error)
      await afterFailure(end.error)
      if (!isExpected && !mayStartAgain(end.error)) return
      await sleep(20)
    }
  }
  const settled = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return {
    settled,
    async result(waitMs: number): Promise<LoadsEnd> {
      const inTime = await Promise.race([settled.then(() => true), sleep(waitMs, false, { ref: false })])
      return { sent, hung: !inTime, errors, expected, last: last.find(end => end.error) ?? last.at(-1) }
    },
  }
}

/** Returns true where another pass cannot write a row twice: by its checkpoint, or as nothing was written. */
export function mayStartAgain({ checkpoint, whole }: FaultCase['shape'], error: Error): boolean {
  if (!(error instanceof PgBatchError)) return false
  if (whole) return error.retryable && (error.outcome === 'rolled-back' || error.outcome === 'not-sent')
  if (!checkpoint) return false
  return error.retryable || error.outcome === 'unknown' || error.code === 'CHECKPOINT_REGRESSED'
}

export function isUnknown(error: Error): boolean {
  return error instanceof PgBatchError && error.outcome === 'unknown'
}

/** Loads by `pg-batch load --resume`, until it succeeds. */
export function commandLoading(url: string, tables: Tables, seed: number) {
  const loading = loadByCommand(url, tables, seed)
  return {
    settled: loading,
    async result(): Promise<LoadsEnd> {
      const { sent, hung, restarts, error } = await loading
      const errors = Array.from({ length: restarts }, () => error ?? new Error('The command has failed'))
      const last = error && { error, sent, discarded: [], leakedClients: 0 }
      return { sent, hung, errors, expected: undefined, last }
    },
  }
}

/** What the command has committed shows in the table only: its rows come in order. */
export async function countAcknowledged(
  database: Database,
  { target }: Tables,
  acknowledged: Set<number>,
  isSettled: () => boolean,
): Promise<void> {
  while (!isSettled()) {
    const [row] = await database.query(`SELECT count(*)::int AS count FROM ${target}`).catch(() => [])
    for (let n = acknowledged.size; n < Number(row?.count ?? 0); n++) acknowledged.add(n)
    await sleep(10)
  }
}
