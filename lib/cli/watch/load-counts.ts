import { plural } from '../../values/format-count.ts'

/** The counts of a load so far. */
export interface LoadCounts {
  /** Rows taken from the file, with those of an earlier run. */
  readonly rowsRead: number
  readonly rowsCommitted: number
  /** Rows that were sent and changed nothing: they were in the table already, or a trigger left them out. */
  readonly rowsUnchanged: number
  readonly rowsRejected: number
  /** Rows that an earlier run of a resumed load wrote. */
  readonly rowsSkipped: number
  readonly batches: number
  readonly transactions: number
  readonly retries: number
  /** Bytes of the input that were read. They are counted as they are on the disk, packed or not. */
  readonly bytesRead: number
  /** Bytes of the whole input. Undefined for a pipe. */
  readonly bytesTotal: number | undefined
  /** Bytes of the input whose rows are settled: committed, rejected, or written by an earlier run. */
  readonly bytesCommitted: number
  /** What `bytesCommitted` will be at the end: all bytes, or those that were read before an interruption. */
  readonly bytesToCommit: number | undefined
  /** With --single-transaction: rows that wait for COMMIT, and the bytes of the input up to them. */
  readonly uncommitted?: { readonly rows: number; readonly bytes: number } | undefined
  /** Bytes of the rows that an earlier run wrote. */
  readonly bytesSkipped: number
  /** Bytes of row data. */
  readonly bytesSent: number
  readonly connections: number
  readonly elapsedMs: number
}

/** Returns the rate of the rows that the server took, also of those that changed nothing. */
export function rowsPerSecond({ rowsCommitted, rowsUnchanged, uncommitted, elapsedMs }: LoadCounts): number {
  const rows = rowsCommitted + rowsUnchanged + (uncommitted?.rows ?? 0)
  return elapsedMs > 0 ? Math.round((rows / elapsedMs) * 1000) : 0
}

/** Returns `1,234 rows committed`, or `1,234 rows sent` where they wait for COMMIT. */
export function rowsSoFar({ rowsCommitted, uncommitted }: LoadCounts): string {
  return uncommitted ? `${plural(uncommitted.rows, 'row')} sent` : `${plural(rowsCommitted, 'row')} committed`
}

/**
 * Returns the share of the input that is committed, or sent where it waits for COMMIT, from 0 to 1. Undefined
 * if its size is not known.
 */
export function shareDone({ bytesCommitted, bytesToCommit, uncommitted }: LoadCounts): number | undefined {
  if (bytesToCommit === undefined) return undefined
  return bytesToCommit === 0 ? 1 : Math.min(1, (uncommitted?.bytes ?? bytesCommitted) / bytesToCommit)
}

/**
 * Returns the milliseconds until all is committed, at the rate of this run. Undefined before its first
 * commit.
 */
export function etaMs({
  bytesCommitted,
  bytesToCommit,
  bytesSkipped,
  uncommitted,
  elapsedMs,
}: LoadCounts): number | undefined {
  const reached = uncommitted?.bytes ?? bytesCommitted
  const done = reached - bytesSkipped
  if (bytesToCommit === undefined || done <= 0) return undefined
  return (elapsedMs * Math.max(0, bytesToCommit - reached)) / done
}
