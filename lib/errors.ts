import type { Outcome } from './types.ts'

/**
 * The kind of a failure, for programs to match. These codes are stable; messages may change between versions.
 */
export type PgBatchErrorCode =
  /** The table does not exist, or the role cannot see it. */
  | 'TABLE_NOT_FOUND'
  /** `columns`, `onConflict` or `returning` names a column that does not exist or cannot be written. */
  | 'COLUMN_NOT_FOUND'
  /**
   * The table was altered while the stream wrote to it, and rows that are encoded already do not fit its new
   * columns.
   */
  | 'TABLE_CHANGED'
  /** The conflict target matches no unique index. */
  | 'CONFLICT_TARGET_NOT_FOUND'
  /** Two different items in a row have the same offset. Rows of one message need an `index`, too. */
  | 'OFFSET_REPEATED'
  /**
   * The server has forgotten commits of a stream with a checkpoint. Read the checkpoint again, and start
   * after it.
   */
  | 'CHECKPOINT_REGRESSED'
  /**
   * A row is not an object, or has a key that is not a column; or the row of a delete lacks its key; or
   * `toRow` threw an error with this code.
   */
  | 'ROW_INVALID'
  /**
   * A value has no form that the server could take, such as a circular object or a Promise; or `toRow` threw
   * an error with this code.
   */
  | 'VALUE_NOT_ENCODABLE'
  /** The server refused a row or a statement. If `retryable` is true, it may accept the same later. */
  | 'REFUSED'
  /**
   * A function, a listener or the dead letter of the caller threw, took too long, or ended the transaction.
   * `callback` names its option.
   */
  | 'CALLBACK_FAILED'
  /** No connection could be made, or a connection broke. */
  | 'CONNECTION'
  /** The stream or the writer was destroyed or has ended, or a signal aborted. */
  | 'ABORTED'
  /** The new data for `replace` has fewer rows than its `minRows`. */
  | 'TOO_FEW_ROWS'
  /** A PgRowWriter holds as many rows as `maxPending` allows. */
  | 'QUEUE_FULL'

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
 * The error that PgBatchWritable fails with. Two failures have other errors: a TypeError if anything but an
 * array was written, and the caller's own error if the caller destroyed the stream with one.
 *
 * Neither the message nor the printed form holds a row's values. `cause` is the driver's own error, and its
 * `message`, `detail` and `where` may hold values.
 */
export class PgBatchError extends Error {
  override readonly name = 'PgBatchError'
  readonly code: PgBatchErrorCode
  /** What went wrong, alone. `message` continues with the place and with the outcome of the rows. */
  declare readonly reason: string
  /** The outcome of the rows of the batch. */
  readonly outcome: Outcome
  /** True if the server may accept the same rows later. */
  readonly retryable: boolean
  /** The option whose function or stream failed. */
  declare readonly callback?: string
  declare readonly sqlState?: string
  /** The number of the batch, from 1, in the order of writing. */
  declare readonly batchId?: number
  /** The index of the row in its batch, from 0. */
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
    // not enumerable, so that a printed error does not repeat its message
    Object.defineProperty(this, 'reason', { value: reason })
    // a getter, so that a printed error shows nothing of its cause, which may hold values: errors end up in
    // logs
    if (cause !== undefined) Object.defineProperty(this, 'cause', { get: () => cause, configurable: true })
  }
}

/** Returns the place of the failure, except for what the reason names. */
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
