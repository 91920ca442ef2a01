import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../cases/cases.ts'
import { crashesServer } from '../cases/fault-kind.ts'
import { isUnknown, type LoadsEnd, SETTLE_MS } from '../load/loading.ts'
import type { Tables } from '../load/tables.ts'
import { type Database, LOADER } from '../servers/server.ts'
import { type Counts, countRows } from './count.ts'

/** A load, and the faults that hit it. */
export interface FaultyLoad extends LoadsEnd {
  readonly fired: number
  readonly complaints: readonly string[]
  /** Rows that nothing can keep from being lost. */
  readonly mayBeGone: ReadonlySet<number>
}

/** The outcome of one case. */
export interface CaseResult extends Counts {
  readonly case: FaultCase
  /** Faults that were seen to happen. */
  readonly fired: number
  readonly hung: number
  readonly unknown: number
  /**
   * The load failed because the outcome of a COMMIT could not be found after a crash. That is right where the
   * stream could not watch the server all the time, as on a machine that is too busy; else it is a fault.
   */
  readonly isOpen: boolean
  /**
   * Sources that were read from the beginning again, after a pipeline had failed or its process was killed.
   */
  readonly restarts: number
  /** Why the case does not pass; empty when it does. */
  readonly complaints: readonly string[]
}

/** Counts the outcome of every row, and finds what is wrong. */
export async function judgeCase(
  database: Database,
  tables: Tables,
  fault: FaultCase,
  { sent, hung, errors, expected, last, fired, mayBeGone, complaints: noted }: FaultyLoad,
): Promise<CaseResult> {
  const { shape, seed, kind } = fault
  const complaints = [...noted]
  const failure = last?.error
  const unknown = [...errors, ...(expected ? [expected] : [])].filter(isUnknown).length
  if (hung) complaints.push(`did not settle within ${SETTLE_MS} ms of its last fault`)
  const isOpen = failure !== undefined && failure !== expected && isUnknown(failure) && crashesServer(kind)
  if (failure && failure !== expected && !isOpen) complaints.push(`failed: ${failure.message}`)
  if (last && last.leakedClients > 0) complaints.push(`${last.leakedClients} clients were not given back`)
  const idle = await leftInTransaction(database)
  if (idle > 0) complaints.push(`${idle} sessions were left in a transaction`)
  const discarded = new Set(failure ? last.discarded : [])
  // the rows after the last one that the writer had were never handed to it
  const lastHeld = Math.max(...discarded)
  const counts = await countRows(
    database,
    tables,
    shape,
    seed,
    sent,
    n => mayBeGone.has(n) || discarded.has(n) || (failure !== undefined && n > lastHeld),
  )
  for (const what of ['lost', 'doubled', 'garbled'] as const) {
    if (counts[what] > 0) complaints.push(`${counts[what]} rows ${what}`)
  }
  if (kind.needs?.sideEffects && !failure) {
    for (const { id, rows } of await database.query(
      `SELECT id, rows::int AS rows FROM ${tables.side} ORDER BY id`,
    )) {
      const written = sent - counts.rejected
      if (rows !== written) complaints.push(`inTransaction counted ${rows} rows of ${written} in row ${id}`)
    }
  }
  return {
    ...counts,
    case: fault,
    fired,
    hung: hung ? 1 : 0,
    unknown,
    isOpen,
    restarts: Math.max(0, errors.length - (failure ? 1 : 0)),
    complaints,
  }
}

/** Sessions of the loader that still hold a transaction open after the load has ended. */
async function leftInTransaction(database: Database): Promise<number> {
  let count = 0
  // the server needs a moment to hear of connections that have just been closed
  for (let attempt = 0; attempt < 40; attempt++) {
    const [row] = await database.query(
      'SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1 AND xact_start IS NOT NULL',
      [LOADER],
    )
    count = row!.count as number
    if (count === 0) return 0
    await sleep(50)
  }
  return count
}
