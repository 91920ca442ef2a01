import { endsSession, isServerError, type ServerError } from '../connection/server-error.ts'
import { HiddenFailure, type TransactionState } from '../connection/transaction.ts'
import { PgBatchError, type PgBatchErrorCode } from '../errors.ts'
import type { Outcome } from '../types.ts'
import { placeOf } from './batch.ts'
import { RowError, type RowPlace } from './row-sender.ts'
import { isTransient } from './transient.ts'

/** As much as is known of where it went wrong. */
export interface FailurePlace {
  readonly batchId?: number | undefined
  readonly rowIndex?: number | undefined
  readonly column?: string | undefined
}

/** A callback of the user's threw. */
export class CallbackError extends Error {
  override readonly name = 'CallbackError'
  readonly option: string

  constructor(option: string, cause: unknown) {
    super(`\`${option}\` failed`, { cause })
    this.option = option
  }
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
      return 'unknown'
    case 'committed':
      return 'committed'
  }
}

/** A row's place as errors tell it. */
export function failurePlace({ group, index, column }: RowPlace): FailurePlace {
  return { batchId: group.batch.id, rowIndex: placeOf(group, index), column }
}

/** Says in our words, without a row's values, what went wrong and what became of the rows. */
export function toPgBatchError(
  error: unknown,
  outcome: Outcome,
  where: FailurePlace,
  during: 'connect' | 'write',
): PgBatchError {
  if (error instanceof PgBatchError) return error
  if (error instanceof RowError) {
    return describe('VALUE_NOT_ENCODABLE', error.message, outcome, failurePlace(error.place), error.cause)
  }
  if (error instanceof CallbackError) {
    const server = isServerError(error.cause) ? error.cause : undefined
    return describe(
      'CALLBACK_FAILED',
      error.message,
      outcome,
      { batchId: where.batchId },
      error.cause,
      server,
    )
  }
  if (error instanceof HiddenFailure) return describe('CALLBACK_FAILED', error.message, outcome, where, error)
  if (isServerError(error) && during === 'write') return fromServer(error, outcome, where)
  const what = during === 'connect' ? 'No connection could be made' : 'The connection failed'
  const server = isServerError(error) ? error : undefined
  return describe(
    'CONNECTION',
    `${what}: ${reasonOf(error)}`,
    outcome,
    { batchId: where.batchId },
    error,
    server,
  )
}

/** The text of a socket's or driver's error; one that tried several addresses has none of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

const TOO_MANY_CONNECTIONS = '53300'

function fromServer(error: ServerError, outcome: Outcome, where: FailurePlace): PgBatchError {
  const lost = endsSession(error) || error.code === TOO_MANY_CONNECTIONS
  const code: PgBatchErrorCode = lost ? 'CONNECTION' : 'REFUSED'
  const place = { ...where, column: where.column ?? error.column }
  return describe(code, `The server refused ${subject(place)}: ${words(error)}`, outcome, place, error, error)
}

function subject({ rowIndex }: FailurePlace): string {
  return rowIndex === undefined ? 'the rows' : 'a row'
}

/**
 * The server's message, except where messages of its kind quote values: class 22 (data exceptions) and what
 * functions raise. Its `detail` and `where` quote values as well, and are left to `cause`.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function words(error: ServerError): string {
  return /^(22|P0)/.test(error.code) ? `SQLSTATE ${error.code}` : `${error.message} (SQLSTATE ${error.code})`
}

function describe(
  code: PgBatchErrorCode,
  message: string,
  outcome: Outcome,
  place: FailurePlace,
  cause: unknown,
  server?: ServerError,
): PgBatchError {
  const { batchId, rowIndex, column } = place
  const at = [
    ...(rowIndex === undefined ? [] : [`row ${rowIndex}`]),
    ...(batchId === undefined ? [] : [`batch ${batchId}`]),
    ...(column === undefined || message.includes(JSON.stringify(column))
      ? []
      : [`column ${JSON.stringify(column)}`]),
  ]
  const text = `${message}${at.length > 0 ? ` [${at.join(', ')}]` : ''} (${OUTCOMES[outcome]})`
  return new PgBatchError(code, text, {
    outcome,
    // what is committed is not to be written again, whatever its callback met
    retryable: outcome !== 'committed' && isTransient(cause),
    batchId,
    rowIndex,
    column,
    sqlState: server?.code,
    constraint: server?.constraint,
    cause,
  })
}

/** The same error, once more is known of what became of the rows. */
export function withOutcome(error: PgBatchError, outcome: Outcome): PgBatchError {
  if (error.outcome === outcome) return error
  const message = error.message.replace(`(${OUTCOMES[error.outcome]})`, `(${OUTCOMES[outcome]})`)
  const { code, retryable, sqlState, batchId, rowIndex, column, constraint, cause } = error
  return new PgBatchError(code, message, {
    outcome,
    retryable,
    sqlState,
    batchId,
    rowIndex,
    column,
    constraint,
    cause,
  })
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  'not-sent': 'nothing was sent',
  'rolled-back': 'rolled back',
  committed: 'committed',
  unknown: 'whether the rows were committed is unknown',
}
