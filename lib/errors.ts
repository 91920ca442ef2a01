import type { Outcome } from './types.ts'

/**
 * What went wrong, for programs to match. Class and text may change between versions; these words do not.
 */
export type PgBatchErrorCode =
  /** The table does not exist, or the role cannot see it. */
  | 'TABLE_NOT_FOUND'
  /** `columns`, `onConflict` or a file's header names what the table does not have or does not let in. */
  | 'COLUMN_NOT_FOUND'
  /** The conflict target matches no unique index. */
  | 'CONFLICT_TARGET_NOT_FOUND'
  /** A row is not an object, has a key that is no column, is to be deleted and lacks its key, or `toRow` threw this code. */
  | 'ROW_INVALID'
  /** A value has no form that the column's type could take, or `toRow` threw this code. */
  | 'VALUE_NOT_ENCODABLE'
  /** The server refused a row or a statement; `retryable` says whether it may take it at another time. */
  | 'REFUSED'
  /** `toRow`, `operation`, `laneOf`, `inTransaction` or `afterCommit` threw. */
  | 'CALLBACK_FAILED'
  /** No connection was to be had, or it broke. */
  | 'CONNECTION'
  /** The stream was destroyed, or its signal aborted. */
  | 'ABORTED'

export interface PgBatchErrorDetails {
  outcome: Outcome
  retryable?: boolean
  sqlState?: string | undefined
  batchId?: number | undefined
  rowIndex?: number | undefined
  column?: string | undefined
  constraint?: string | undefined
  cause?: unknown
}

/**
 * What PgBatchWritable fails with, unless it was written something else than an array (a TypeError) or destroyed with
 * an error of the caller's. Its text and its printed form never hold a row's values; `cause` keeps the driver's own
 * error, whose `message`, `detail` and `where` may.
 */
export class PgBatchError extends Error {
  override readonly name = 'PgBatchError'
  readonly code: PgBatchErrorCode
  /** What became of the rows of the batch. */
  readonly outcome: Outcome
  /** True when the same rows may well be accepted at another time. */
  readonly retryable: boolean
  declare readonly sqlState?: string
  /** The number of the batch, from 1, in the order of writing. */
  declare readonly batchId?: number
  /** The place of the row in its batch, from 0. */
  declare readonly rowIndex?: number
  declare readonly column?: string
  declare readonly constraint?: string

  constructor(code: PgBatchErrorCode, message: string, details: PgBatchErrorDetails) {
    super(message)
    const { outcome, retryable = false, cause, ...known } = details
    this.code = code
    this.outcome = outcome
    this.retryable = retryable
    Object.assign(this, Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)))
    // a getter, since Node prints a plain cause with all its words, and uncaught errors end up in logs
    if (cause !== undefined) Object.defineProperty(this, 'cause', { get: () => cause, configurable: true })
  }
}
