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
  /** Bytes of the rows that an earlier run wrote. */
  readonly bytesSkipped: number
  /** Bytes of row data. */
  readonly bytesSent: number
  readonly connections: number
  readonly elapsedMs: number
}

/** Returns the rate of the rows that the server took, also of those that changed nothing. */
export function rowsPerSecond({ rowsCommitted, rowsUnchanged, elapsedMs }: LoadCounts): number {
  return elapsedMs > 0 ? Math.round(((rowsCommitted + rowsUnchanged) / elapsedMs) * 1000) : 0
}

/** Returns the committed share of the input, from 0 to 1. Undefined if its size is not known. */
export function shareCommitted({ bytesCommitted, bytesToCommit }: LoadCounts): number | undefined {
  if (bytesToCommit === undefined) return undefined
  return bytesToCommit === 0 ? 1 : Math.min(1, bytesCommitted / bytesToCommit)
}

/**
 * Returns the milliseconds until all is committed, at the rate of this run. Undefined before its first
 * commit.
 */
export function etaMs({
  bytesCommitted,
  bytesToCommit,
  bytesSkipped,
  elapsedMs,
}: LoadCounts): number | undefined {
  const done = bytesCommitted - bytesSkipped
  if (bytesToCommit === undefined || done <= 0) return undefined
  return (elapsedMs * Math.max(0, bytesToCommit - bytesCommitted)) / done
}
