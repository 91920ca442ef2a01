import {
  columnOf,
  endsSession,
  isRaised,
  isServerError,
  refusesValue,
  type ServerError,
  shownAtRow,
} from '../../connection/server-error.ts'
import { CallbackMisuse } from '../../connection/transaction/callback-limits.ts'
import {
  SwallowedError,
  TransactionEnded,
  type TransactionState,
} from '../../connection/transaction/transaction.ts'
import { PgBatchError, type PgBatchErrorCode, type PgBatchErrorDetails } from '../../errors.ts'
import type { Outcome } from '../../types.ts'
import { errorOrigin } from '../../values/error-origin.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'
import { placeOf } from '../rows/batch.ts'
import { RowError, type RowPlace } from '../rows/row-sender.ts'
import { refusedValueText } from './refused-value.ts'
import { standardText } from './sqlstate-names.ts'
import { isTransient } from './transient.ts'

/** As much as is known of where it went wrong. */
export interface ErrorContext {
  readonly batchId?: number | undefined
  readonly rowIndex?: number | undefined
  readonly column?: string | undefined
}

/** A callback of the user's threw, or did what it may not. */
export class CallbackError extends Error {
  override readonly name = 'CallbackError'
  readonly option: string

  constructor(option: string, cause: unknown) {
    const misuse = causesOf(cause).find(error => error instanceof CallbackMisuse)
    super(misuse?.message ?? `\`${option}\` failed${reasonIn(cause)}`, { cause })
    this.option = option
  }
}

/** Why a callback failed, without its error's message: a system error's code, such as ENOSPC, or where it was thrown. */
function reasonIn(cause: unknown): string {
  if (isError(cause) && 'syscall' in cause && 'code' in cause) return ` (${String(cause.code)})`
  return `: ${errorOrigin(cause)}; see error.cause`
}

/** Two items in a row have one place in their source, and differ. */
export class RepeatedOffsetError extends Error {
  override readonly name = 'RepeatedOffsetError'
  /** Where the second one is. */
  readonly place: ErrorContext

  constructor(place: ErrorContext) {
    super(
      'Two different items in a row have the same offset, and the second one would be skipped as a redelivery of ' +
        'the first. If they are rows of one message, let `checkpoint.position` return { partition, offset, index } ' +
        'with index 0, 1, 2 … within the message',
    )
    this.place = place
  }
}

/** How deep libraries wrap what the driver throws. */
const MAX_CAUSES = 8

/** An error, and what it was caused by: an ORM wraps what the driver throws. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let next = error; isError(next) && causes.length < MAX_CAUSES; next = next.cause) causes.push(next)
  return causes
}

/** What an error means for the rows of a transaction that had come this far. */
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

/** A row's place as errors tell it. */
export function errorContext({ group, index, column }: RowPlace): ErrorContext {
  return { batchId: group.batch.id, rowIndex: placeOf(group, index), column }
}

/** Says in our words, without a row's values, what went wrong and what became of the rows. */
export function toPgBatchError(
  error: unknown,
  outcome: Outcome,
  where: ErrorContext,
  during: 'connect' | 'write',
): PgBatchError {
  if (error instanceof PgBatchError) return error
  const { batchId } = where
  if (error instanceof RowError) {
    const details = { outcome, ...errorContext(error.place), cause: error.cause }
    return makeError('VALUE_NOT_ENCODABLE', error.message, details)
  }
  if (error instanceof CallbackError) {
    const { option: callback, cause } = error
    return makeError('CALLBACK_FAILED', error.message, { outcome, batchId, callback, cause })
  }
  if (error instanceof RepeatedOffsetError) {
    return makeError('OFFSET_REPEATED', error.message, {
      outcome,
      ...error.place,
      callback: 'checkpoint.position',
    })
  }
  if (error instanceof SwallowedError || error instanceof TransactionEnded) {
    const details = { outcome, ...where, callback: 'inTransaction', cause: error }
    return makeError('CALLBACK_FAILED', error.message, details)
  }
  if (isServerError(error) && during === 'write') return fromServer(error, outcome, where)
  const what = during === 'connect' ? 'No connection could be made' : 'The connection failed'
  return makeError('CONNECTION', `${what}: ${reasonOf(error)}`, { outcome, batchId, cause: error })
}

/** The text of a socket's or driver's error; one that tried several addresses has none of its own. */
function reasonOf(error: unknown): string {
  if (isAggregateError(error) && !error.message) return error.errors.map(reasonOf).join(', ')
  return isError(error) ? error.message : String(error)
}

const TOO_MANY_CONNECTIONS = '53300'

function fromServer(error: ServerError, outcome: Outcome, where: ErrorContext): PgBatchError {
  const lost = endsSession(error) || error.code === TOO_MANY_CONNECTIONS
  const place = { ...where, column: where.column ?? columnOf(error) }
  const reason = `The server refused ${subject(place)}: ${words(error, place.column)}`
  return makeError(lost ? 'CONNECTION' : 'REFUSED', reason, { outcome, ...place, cause: error })
}

function subject({ rowIndex }: ErrorContext): string {
  return rowIndex === undefined ? 'the rows' : 'a row'
}

/**
 * The server's message, or its SQLSTATE's standard text where messages of the kind quote values: class 22 (data
 * exceptions), what input functions refuse, what functions raise, files that a function asks for, and what else came at a
 * row, except for constraints and limits. Its `detail` and `where` quote values as well, and are left to `cause`.
 */
function words(error: ServerError, column: string | undefined): string {
  const quotes =
    /^(22|P0)/.test(error.code) ||
    refusesValue(error) ||
    isRaised(error) ||
    (error.code.startsWith('58') && Boolean(error.where)) ||
    (shownAtRow(error) && !/^(21|23|44|54)/.test(error.code))
  if (!quotes) return `${error.message} (SQLSTATE ${error.code})`
  return (column !== undefined && refusedValueText(error, column)) || standardText(error.code)
}

/** Adds what the cause tells. */
function makeError(code: PgBatchErrorCode, reason: string, details: PgBatchErrorDetails): PgBatchError {
  const { outcome, cause } = details
  const causes = details.callback ? causesOf(cause) : [cause]
  const server = causes.find(isServerError)
  return new PgBatchError(code, reason, {
    ...details,
    // what is committed is not to be written again, whatever its callback met
    retryable: outcome !== 'committed' && causes.some(isTransient),
    sqlState: server?.code,
    constraint: server?.constraint,
  })
}

/** The same error, once more is known of what became of the rows. */
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
