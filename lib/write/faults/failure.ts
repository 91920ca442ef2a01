import {
  columnOf,
  endsSession,
  isRaised,
  isServerError,
  READ_ONLY_SQL_TRANSACTION,
  refusesValue,
  type ServerError,
  shownAtRow,
} from '../../connection/server-error.ts'
import { CallbackMisuse } from '../../connection/transaction/callbacks/callback-limits.ts'
import { SwallowedError, TransactionEnded } from '../../connection/transaction/transaction-errors.ts'
import type { TransactionState } from '../../connection/transaction/transaction-state.ts'
import { PgBatchError, type PgBatchErrorCode, type PgBatchErrorDetails } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import type { Outcome } from '../../types.ts'
import { errorOrigin } from '../../values/error-origin.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'
import { arrayIndexOfRow } from '../rows/batch.ts'
import { RowError, type RowRef } from '../rows/row-sender.ts'
import { refusedValueText } from './refused-value.ts'
import { serverMessage } from './server-message.ts'
import { standardText } from './sqlstate-names.ts'
import { isRowsFault, isTransient } from './transient.ts'

/** Where an error happened, as far as it is known. */
export interface ErrorContext {
  readonly batchId?: number | undefined
  readonly rowIndex?: number | undefined
  readonly column?: string | undefined
}

/** A callback threw, or did something that it may not do. */
export class CallbackError extends Error {
  override readonly name = 'CallbackError'
  readonly option: string

  constructor(option: string, cause: unknown) {
    const misuse = causesOf(cause).find(error => error instanceof CallbackMisuse)
    super(misuse?.message ?? `\`${option}\` failed${reasonIn(cause)}`, { cause })
    this.option = option
  }
}

/**
 * Returns why a callback failed, without its error's message, which may quote values: the code of a system
 * error, such as ENOSPC, or where the error was thrown.
 */
function reasonIn(cause: unknown): string {
  if (isError(cause) && 'syscall' in cause && 'code' in cause) return ` (${String(cause.code)})`
  return `: ${errorOrigin(cause)}; see error.cause`
}

/** Two consecutive items have one position in their source, and differ. */
export class RepeatedOffsetError extends Error {
  override readonly name = 'RepeatedOffsetError'
  /** Where the second item is. */
  readonly context: ErrorContext

  constructor(context: ErrorContext) {
    super(
      'Two consecutive items differ but have the same offset, and the second would be skipped as a ' +
        'redelivery of the first. If they are rows of one message, let `checkpoint.position` return ' +
        '{ partition, offset, index } with index 0, 1, 2 … within the message',
    )
    this.context = context
  }
}

/** How many causes are followed: libraries wrap the driver's error a few levels deep. */
const MAX_CAUSES = 8

/** Returns an error and its causes: an ORM wraps the driver's error. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let next = error; isError(next) && causes.length < MAX_CAUSES; next = next.cause) causes.push(next)
  return causes
}

/** Returns the outcome of the rows when an error ends a transaction in this state. */
export function outcomeOf(state: TransactionState): Outcome {
  switch (state) {
    case 'fresh':
      return 'not-sent'
    case 'open':
    case 'rolled-back':
      return 'rolled-back'
    case 'committing':
    case 'lost':
      return 'unknown'
    case 'committed':
      return 'committed'
  }
}

/** Returns the batch, the index and the column of a row, as errors report them. */
export function errorContext({ group, index, column }: RowRef): ErrorContext {
  return { batchId: group.batch.id, rowIndex: arrayIndexOfRow(group, index), column }
}

/**
 * Makes the PgBatchError for an error: what went wrong, without any of the row's values, and the outcome of
 * the rows.
 */
export function toPgBatchError(
  error: unknown,
  outcome: Outcome,
  where: ErrorContext,
  during: 'connect' | 'write',
): PgBatchError {
  if (error instanceof PgBatchError) return error
  const { batchId } = where
  if (error instanceof RowError) {
    const details = { outcome, ...errorContext(error.row), cause: error.cause }
    return makeError('VALUE_NOT_ENCODABLE', error.message, details)
  }
  if (error instanceof CallbackError) {
    const { option: callback, cause } = error
    return makeError('CALLBACK_FAILED', error.message, { outcome, batchId, callback, cause })
  }
  if (error instanceof RepeatedOffsetError) {
    return makeError('OFFSET_REPEATED', error.message, {
      outcome,
      ...error.context,
      callback: 'checkpoint.position',
    })
  }
  if (error instanceof SwallowedError || error instanceof TransactionEnded) {
    const details = { outcome, ...where, callback: error.option, cause: error }
    return makeError('CALLBACK_FAILED', error.message, details)
  }
  if (isServerError(error) && during === 'write') return fromServer(error, outcome, where)
  const what = during === 'connect' ? 'No connection could be made' : 'The connection failed'
  return makeError('CONNECTION', `${what}: ${reasonOf(error)}`, { outcome, batchId, cause: error })
}

/**
 * Returns the message of a socket's or driver's error. One that has tried several addresses has several
 * messages.
 */
function reasonOf(error: unknown): string {
  if (isAggregateError(error) && !error.message) return error.errors.map(reasonOf).join(', ')
  const message = isError(error) ? error.message : String(error)
  if (message === POOL_ENDED) return `${message}: await the pipeline before pool.end()`
  return NO_PASSWORD.test(message) ? `${message}; no password is given: set PGPASSWORD` : message
}

/** What the pool of pg says when it is asked for a client after its end. */
const POOL_ENDED = 'Cannot use a pool after calling end on the pool'

/** What pg, or the server, says about a password that is asked for, and is missing. */
const NO_PASSWORD = /client password must be a string|empty password returned by client/

const TOO_MANY_CONNECTIONS = '53300'

function fromServer(error: ServerError, outcome: Outcome, where: ErrorContext): PgBatchError {
  const lost = endsSession(error) || error.code === TOO_MANY_CONNECTIONS
  const context = { ...where, column: where.column ?? columnOf(error) }
  const what =
    error.code === READ_ONLY_SQL_TRANSACTION
      ? 'The server is a standby, or read-only'
      : `The server refused ${subject(error, context)}`
  const reason = `${what}: ${messageOf(error, context.column)}`
  return makeError(lost ? 'CONNECTION' : 'REFUSED', reason, { outcome, ...context, cause: error })
}

/** Makes the error for a table that does not exist and is refused, unless a later attempt may create it. */
export function notCreated(table: TableParts, error: ServerError): unknown {
  if (isTransient(error)) return error
  const reason = `${quoteTable(table)} does not exist and cannot be created: ${messageOf(error, undefined)}`
  return makeError('REFUSED', reason, { outcome: 'not-sent', cause: error })
}

/** Privileges, locks and a server that does not write have nothing to do with what the rows hold. */
function subject(error: ServerError, { rowIndex }: ErrorContext): string {
  if (rowIndex !== undefined) return 'a row'
  return isRowsFault(error) ? 'the rows' : 'a statement'
}

/**
 * Returns the server's message, or the standard text of its SQLSTATE where such messages quote values: class
 * 22 (data exceptions), what input functions refuse, what functions raise, files that a function asks for,
 * and other errors at a row, except constraints and limits. `detail` and `where` quote values as well; only
 * `cause` keeps them.
 */
function messageOf(error: ServerError, column: string | undefined): string {
  const quotes =
    /^(22|P0)/.test(error.code) ||
    refusesValue(error) ||
    isRaised(error) ||
    (error.code.startsWith('58') && Boolean(error.where)) ||
    (shownAtRow(error) && !/^(21|23|44|54)/.test(error.code))
  if (!quotes) return `${serverMessage(error)} (SQLSTATE ${error.code})`
  return (column !== undefined && refusedValueText(error, column)) || standardText(error.code)
}

/** Makes an error with what its cause reports: SQLSTATE, constraint, and whether a retry may help. */
function makeError(code: PgBatchErrorCode, reason: string, details: PgBatchErrorDetails): PgBatchError {
  const { outcome, cause } = details
  const causes = details.callback ? causesOf(cause) : [cause]
  const server = causes.find(isServerError)
  return new PgBatchError(code, reason, {
    ...details,
    // committed rows must not be written again, whatever the callback ran into
    retryable: outcome !== 'committed' && causes.some(isTransient),
    sqlState: server?.code,
    constraint: server?.constraint,
  })
}

/** Returns the same error with another outcome, once more is known of the rows. */
export function withOutcome(error: PgBatchError, outcome: Outcome): PgBatchError {
  if (error.outcome === outcome) return error
  const { code, reason, retryable, callback, sqlState, batchId, rowIndex, column, constraint, cause } = error
  return new PgBatchError(code, reason, {
    outcome,
    retryable,
    callback,
    sqlState,
    batchId,
    rowIndex,
    column,
    constraint,
    cause,
  })
}
