import type { Readable } from 'node:stream'
import type { PgBatchError } from '../errors.ts'
import type { AddedColumn, WidenedColumn } from '../table/alter-table.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'

/** One committed transaction, as the 'commit' event reports it. */
export interface CommitEvent {
  /** The number of the transaction's first batch, from 1, in the order of writing. */
  readonly batchId: number
  /** Rows that were inserted, updated or deleted. */
  readonly rows: number
  /** Rows that were sent and changed nothing, as in `stats`. */
  readonly rowsUnchanged: number
  /** Bytes of row data sent. */
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  /** The number of the attempt that succeeded, from 1. */
  readonly attempts: number
  /** Milliseconds from the first statement to the answer to COMMIT. */
  readonly durationMs: number
  /** How many batches the transaction has. */
  readonly batches: number
}

/** One transient failure, as the 'retry' event reports it. */
export interface RetryEvent {
  readonly error: PgBatchError
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** Milliseconds until the next attempt. */
  readonly delayMs: number
}

/** One change of the table, as the 'evolve' event reports it. */
export interface EvolveEvent {
  /** The columns that the table has gained, each with its type in SQL. */
  readonly added: readonly AddedColumn[]
  /** The columns whose type was widened, each with the types before and after. */
  readonly widened: readonly WidenedColumn[]
  /** The statement that has changed the table. */
  readonly sql: string
}

export interface PgBatchWritableEvents<Item = unknown> {
  /** A transaction was committed. */
  commit: [commit: CommitEvent]
  /** A transient failure will be retried. */
  retry: [retry: RetryEvent]
  /** A row was permanently rejected; the rest of its batch is committed. */
  reject: [reject: RejectedRow<Item>]
  /** The stream has changed its table, before the rows that need it are sent. */
  evolve: [evolve: EvolveEvent]
  close: []
  drain: []
  error: [error: Error]
  finish: []
  pipe: [source: Readable]
  unpipe: [source: Readable]
}
