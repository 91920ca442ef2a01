import type { PgBatchError } from '../../errors.ts'
import type { Repair } from '../../sources/repairs.ts'
import type { RetryEvent } from '../../writable/events.ts'
import type { LoadCounts } from './load-counts.ts'
import type { RejectReason } from './reject-reasons.ts'

/** How messages name a load. */
export interface LoadTitle {
  /** The file, or `standard input`. */
  readonly source: string
  readonly table: string
}

/** How a load ended. */
export interface LoadEnd {
  readonly counts: LoadCounts
  readonly reasons: readonly RejectReason[]
  /** The repairs of --lenient. */
  readonly repairs?: readonly Repair[]
  readonly outcome: 'done' | 'interrupted' | 'failed'
  /** Why the load failed or was interrupted. */
  readonly error: string | undefined
}

/** Reports on a load while it runs. It owns its timers. `end` stops them and is always called. */
export interface Watcher {
  /** @param counts returns the current counts */
  begin(title: LoadTitle, counts: () => LoadCounts): void
  /** Reports a failure that will be tried again. */
  retry(retry: RetryEvent): void
  /**
   * Reports a rejected row.
   * @param row the row's number in its file, if it is known
   * @param file undefined if there is only one file
   */
  reject(error: PgBatchError, row: number | undefined, file?: string): void
  /** Reports what the user should know now. */
  note(line: string): void
  end(end: LoadEnd): void | Promise<void>
}

/** The milliseconds between two lines of progress. */
export const LINE_INTERVAL_MS = 5000
