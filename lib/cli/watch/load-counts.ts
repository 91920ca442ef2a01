/** How far a load has come. */
export interface LoadCounts {
  /** Rows taken from the file, those of an earlier run among them. */
  readonly rowsRead: number
  readonly rowsCommitted: number
  /** Rows that were sent and changed nothing: they were there already, or a trigger left them out. */
  readonly rowsUnchanged: number
  readonly rowsRejected: number
  /** Rows that an earlier run of a resumed load has written. */
  readonly rowsSkipped: number
  readonly batches: number
  readonly transactions: number
  readonly retries: number
  /** Bytes of the file, as it lies on the disk. */
  readonly bytesRead: number
  /** Undefined for a pipe. */
  readonly bytesTotal: number | undefined
  /** Bytes of row data. */
  readonly bytesSent: number
  readonly connections: number
  readonly elapsedMs: number
}

/** Rows that the server has taken, whether or not they changed something. */
export function rowsPerSecond({ rowsCommitted, rowsUnchanged, elapsedMs }: LoadCounts): number {
  return elapsedMs > 0 ? Math.round(((rowsCommitted + rowsUnchanged) / elapsedMs) * 1000) : 0
}

/** From 0 to 1; undefined where the end is not known. */
export function shareRead({ bytesRead, bytesTotal }: LoadCounts): number | undefined {
  if (bytesTotal === undefined) return undefined
  return bytesTotal === 0 ? 1 : Math.min(1, bytesRead / bytesTotal)
}

/** Milliseconds that are left at the rate so far; undefined where nobody can tell. */
export function etaMs(counts: LoadCounts): number | undefined {
  const share = shareRead(counts)
  return share ? (counts.elapsedMs * (1 - share)) / share : undefined
}
