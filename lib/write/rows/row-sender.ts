import type { RowGroup } from './batch.ts'

/** Where a row is that made a write fail. */
export interface RowRef {
  readonly group: RowGroup
  /** Index into the group's rows. */
  readonly index: number
  readonly column?: string | undefined
}

/** Sends rows inside one transaction by one method. Used in a row: `send…`, then `close`, or `abort`. */
export interface RowSender {
  readonly method: 'copy' | 'insert'
  /** Bytes of row data so far. */
  readonly bytes: number
  /** Rows that changed nothing, as far as the server has answered: all of them once `close` has resolved. */
  readonly unchanged: number
  /** Sends rows of one batch, grouped by shape. */
  send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void>
  /** Resolves when every row that was sent is in the table, as far as the transaction goes. */
  close(): Promise<void>
  /** Leaves the connection ready for ROLLBACK. */
  abort(): Promise<void>
  /** The row that an error of the server names, if it names one. */
  locate(error: unknown): RowRef | undefined
}

/**
 * Returns how many of `sent` rows a statement has left without effect.
 * @param changed what its command tag counts. A rule or a trigger may write more rows than were sent, and a server
 *   that is not PostgreSQL may count none: then every row counts as changed
 */
export function unchangedOf(sent: number, changed: number | null | undefined): number {
  return Math.max(0, sent - (changed ?? sent))
}

/** A row that never left: its value has no form, or no binary one where binary was asked for. */
export class RowError extends Error {
  override readonly name = 'RowError'
  readonly row: RowRef

  constructor(row: RowRef, message: string, cause: unknown) {
    super(message, { cause })
    this.row = row
  }
}
