import type { RowGroup } from './batch.ts'

/** Names one row of a batch, and the column if an error is about it. */
export interface RowRef {
  readonly group: RowGroup
  /** Index into the group's rows. */
  readonly index: number
  readonly column?: string | undefined
}

/**
 * Sends rows inside one transaction by one method. Call `send` for each batch, then `close`; after an error
 * `abort`.
 */
export interface RowSender {
  readonly method: 'copy' | 'insert'
  /** Bytes of row data so far. */
  readonly bytes: number
  /**
   * How many rows changed nothing, according to the server's answers so far; complete once `close` has
   * resolved.
   */
  readonly unchanged: number
  /** Sends rows of one batch, grouped by shape. */
  send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void>
  /**
   * Resolves when the server has written every row in this transaction.
   * @param commits nothing but COMMIT follows: it may be sent with the rows
   */
  close(commits?: boolean): Promise<void>
  /** Leaves the connection ready for ROLLBACK. */
  abort(): Promise<void>
  /** Returns the row that an error of the server is about, if that is known. */
  locate(error: unknown): RowRef | undefined
  /** Returns the column that an error of the server is about, if that is known and the row is not. */
  columnOf?(error: unknown): string | undefined
}

/**
 * Returns how many of `sent` rows had no effect.
 * @param changed the count of the command tag. A rule or a trigger may write more rows than were sent, and a
 *   server that is not PostgreSQL may not count: then every row counts as changed
 */
export function unchangedOf(sent: number, changed: number | null | undefined): number {
  return Math.max(0, sent - (changed ?? sent))
}

/**
 * The row could not be sent: a value has no form for the server, or no binary form with `copyFormat:
 * 'binary'`.
 */
export class RowError extends Error {
  override readonly name = 'RowError'
  readonly row: RowRef

  constructor(row: RowRef, message: string, cause: unknown) {
    super(message, { cause })
    this.row = row
  }
}
