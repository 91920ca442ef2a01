import type { Readable } from 'node:stream'
import type { PgBatchError } from '../errors.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'

/** What the 'commit' event tells of one transaction. */
export interface CommitEvent {
  /** The number of its first batch, from 1, in the order of writing. */
  readonly batchId: number
  /** Rows that the server inserted, updated or deleted. */
  readonly rows: number
  /** Rows that were sent and changed nothing, see `stats`. */
  readonly rowsUnchanged: number
  /** Bytes of row data sent. */
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  /** How often its rows were sent, from 1. */
  readonly attempts: number
  /** Milliseconds from its first statement to the answer to COMMIT. */
  readonly durationMs: number
  /** How many batches it holds. */
  readonly batches: number
}

/** What the 'retry' event tells: something failed, and will be tried again. */
export interface RetryEvent {
  readonly error: PgBatchError
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly delayMs: number
}

export interface PgBatchWritableEvents<Item = unknown> {
  /** A transaction was committed. */
  commit: [commit: CommitEvent]
  /** A transient failure will be tried again. */
  retry: [retry: RetryEvent]
  /** A row was refused for good; the rest of its batch is committed. */
  reject: [reject: RejectedRow<Item>]
  close: []
  drain: []
  error: [error: Error]
  finish: []
  pipe: [source: Readable]
  unpipe: [source: Readable]
}
