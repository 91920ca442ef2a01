import type { Outcome } from './types.ts'

/**
 * What went wrong, for programs to match. Class and text may change between versions; these words do not.
 */
export type PgBatchErrorCode =
  /** The table does not exist, or the role cannot see it. */
  | 'TABLE_NOT_FOUND'
  /** `columns`, `onConflict` or a file's header names what the table does not have or does not let in. */
  | 'COLUMN_NOT_FOUND'
  /** The table was altered while the stream wrote to it, and rows that it holds as bytes do not fit the new columns. */
  | 'TABLE_CHANGED'
  /** The conflict target matches no unique index. */
  | 'CONFLICT_TARGET_NOT_FOUND'
  /** Two different items in a row have one offset: rows of one message need an `index`, too. */
  | 'OFFSET_REPEATED'
  /** The server has forgotten commits of a stream with a checkpoint: read the checkpoint again, and start after it. */
  | 'CHECKPOINT_REGRESSED'
  /**
   * A row is not an object, has a key that is not a column, or is to be deleted and lacks its key; or `toRow` threw this
   * code.
   */
  | 'ROW_INVALID'
  /** A value has no form that the column's type could take, or `toRow` threw this code. */
  | 'VALUE_NOT_ENCODABLE'
  /** The server refused a row or a statement; `retryable` says whether it may take it at another time. */
  | 'REFUSED'
  /** `toRow`, `operation`, `laneOf`, `inTransaction` or `afterCommit` threw, took too long, or ended the transaction. */
  | 'CALLBACK_FAILED'
  /** No connection could be made, or it broke. */
  | 'CONNECTION'
  /** The stream was destroyed, or its signal aborted. */
  | 'ABORTED'

export interface PgBatchErrorDetails {
  outcome: Outcome
  callback?: string | undefined
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
  /** What went wrong, by itself: `message` goes on with the place and with what became of the rows. */
  declare readonly reason: string
  /** What became of the rows of the batch. */
  readonly outcome: Outcome
  /** True when the same rows may well be accepted at another time. */
  readonly retryable: boolean
  /** Which function or stream of the user's failed, by the name of its option. */
  declare readonly callback?: string
  declare readonly sqlState?: string
  /** The number of the batch, from 1, in the order of writing. */
  declare readonly batchId?: number
  /** The place of the row in its batch, from 0. */
  declare readonly rowIndex?: number
  declare readonly column?: string
  declare readonly constraint?: string

  constructor(code: PgBatchErrorCode, reason: string, details: PgBatchErrorDetails) {
    super(`${reason}${place(reason, details)} (${OUTCOMES[details.outcome]})`)
    const { outcome, retryable = false, cause, ...known } = details
    this.code = code
    this.outcome = outcome
    this.retryable = retryable
    Object.assign(this, Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)))
    // not to be printed: the message has it
    Object.defineProperty(this, 'reason', { value: reason })
    // a getter, since Node prints a plain cause with all its words, and uncaught errors end up in logs
    if (cause !== undefined) Object.defineProperty(this, 'cause', { get: () => cause, configurable: true })
  }
}

/** Where it went wrong, as far as that is known and the reason does not tell. */
function place(reason: string, { rowIndex, batchId, column }: PgBatchErrorDetails): string {
  const quoted = JSON.stringify(column)
  const parts = [
    rowIndex !== undefined && `row ${rowIndex}`,
    batchId !== undefined && `batch ${batchId}`,
    column !== undefined && !reason.includes(quoted) && `column ${quoted}`,
  ].filter(Boolean)
  return parts.length > 0 ? ` [${parts.join(', ')}]` : ''
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  'not-sent': 'nothing was sent',
  'rolled-back': 'rolled back',
  committed: 'committed',
  unknown: 'whether the rows were committed is unknown',
}
