import type { PgBatchError } from '../../errors.ts'
import type { RetryEvent } from '../../writable/events.ts'
import type { LoadCounts } from './load-counts.ts'
import type { RejectReason } from './reject-reasons.ts'

/** What a load is, in words. */
export interface LoadTitle {
  /** The file, or `standard input`. */
  readonly source: string
  readonly table: string
}

/** How a load ended. */
export interface LoadEnd {
  readonly counts: LoadCounts
  readonly reasons: readonly RejectReason[]
  readonly outcome: 'done' | 'interrupted' | 'failed'
  /** Why it did not end well. */
  readonly error: string | undefined
}

/** Somebody who looks on while a load runs. Its timers are its own; `end` stops them, and is always called. */
export interface Watcher {
  /** @param counts gives the counts of the moment */
  begin(title: LoadTitle, counts: () => LoadCounts): void
  /** Something failed and will be tried again. */
  retry(retry: RetryEvent): void
  /**
   * @param row its number in its file, where it is known
   * @param file undefined when there is only one
   */
  reject(error: PgBatchError, row: number | undefined, file?: string): void
  /** Something that the user should know now. */
  note(line: string): void
  end(end: LoadEnd): void | Promise<void>
}

/** Milliseconds between lines of progress. */
export const LINE_INTERVAL_MS = 5000
