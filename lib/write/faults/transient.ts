import { DeadlineError } from '../../connection/deadline-error.ts'
import { NoServer } from '../../connection/pool/hosts-pool.ts'
import { UnsuitableServer } from '../../connection/pool/session-attrs.ts'
import {
  isRaised,
  isServerError,
  refusesValue,
  type ServerError,
  shownAtRow,
} from '../../connection/server-error.ts'
import { StandbyError } from '../../connection/transaction/outcome.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'

/**
 * The SQLSTATEs of errors that another attempt may not meet. All other errors are permanent: a retry would
 * only report the same, later.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const TRANSIENT_SQLSTATES: Readonly<Record<string, string>> = Object.freeze({
  '08000': 'connection_exception',
  '08001': 'sqlclient_unable_to_establish_sqlconnection',
  '08003': 'connection_does_not_exist',
  '08004': 'sqlserver_rejected_establishment_of_sqlconnection',
  '08006': 'connection_failure',
  '08007': 'transaction_resolution_unknown',
  '08P01': 'protocol_violation', // poolers report many a passing state with it
  '25006': 'read_only_sql_transaction', // a standby, or a primary that is about to be one
  '25P03': 'idle_in_transaction_session_timeout',
  '25P04': 'transaction_timeout',
  '40000': 'transaction_rollback',
  '40001': 'serialization_failure',
  '40003': 'statement_completion_unknown',
  '40P01': 'deadlock_detected',
  '53000': 'insufficient_resources',
  '53100': 'disk_full',
  '53200': 'out_of_memory',
  '53300': 'too_many_connections',
  '55006': 'object_in_use',
  '55P03': 'lock_not_available',
  '57014': 'query_canceled', // statement_timeout, or an operator
  '57P01': 'admin_shutdown',
  '57P02': 'crash_shutdown',
  '57P03': 'cannot_connect_now',
  '57P04': 'database_dropped', // one that stays dropped fails the next connection with 3D000
  '57P05': 'idle_session_timeout',
  '58030': 'io_error',
})

/** Codes of sockets and name lookups when a network fails that may come back. */
const TRANSIENT_SOCKET_ERRORS: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTCONN',
  'ENOTFOUND', // also for a name that is being moved to another server
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
  'ETIMEDOUT',
])

/**
 * How messages of pg and pg-pool begin, in errors without a code, when a connection broke or did not come in
 * time.
 */
const TRANSIENT_DRIVER_MESSAGES: readonly string[] = [
  'Connection terminated',
  'Connection ended unexpectedly',
  'Query read timeout',
  'received invalid response', // what the server has sent did not arrive as it was
  'timeout e',
  'Client has encountered a connection error',
  'Client was closed',
]

/** Returns true when another attempt at the same rows may succeed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof DeadlineError || error instanceof StandbyError || error instanceof UnsuitableServer)
    return true
  // any one of several servers may come back
  if (error instanceof NoServer) return error.errors.some(isTransient)
  if (isServerError(error)) {
    return (error.code in TRANSIENT_SQLSTATES && !refusesValue(error)) || isLostWorker(error)
  }
  if (isAggregateError(error) && error.errors.length > 0) return error.errors.every(isTransient)
  if (!isError(error)) return false
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined) return TRANSIENT_SOCKET_ERRORS.has(code) || isMissingSocket(error)
  return TRANSIENT_DRIVER_MESSAGES.some(beginning => error.message.startsWith(beginning))
}

/** Returns true when there is no Unix socket to connect to, as while its server restarts. */
export function isMissingSocket(error: unknown): boolean {
  if (!isError(error)) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  return code === 'ENOENT' && syscall === 'connect'
}

/** XX000, which Citus gives to errors without an SQLSTATE of their own. */
const INTERNAL_ERROR = 'XX000'

/** Returns true when Citus has lost the connection to one of its workers. */
function isLostWorker({ code, message }: ServerError): boolean {
  return code === INTERNAL_ERROR && message.startsWith('failure on connection marked as essential')
}

/**
 * Returns true when the error may hide another one: what a worker of Citus refuses during a COPY, such as a
 * duplicate key, comes as XX000 with the worker's message. An INSERT of the same rows reports the worker's
 * SQLSTATE.
 */
export function mayHideSqlState(error: unknown): boolean {
  return isServerError(error) && error.code === INTERNAL_ERROR && !isLostWorker(error)
}

/** Returns true when a host's name did not resolve. */
export function isNameFailure(error: unknown): boolean {
  if (error instanceof NoServer || isAggregateError(error))
    return error.errors.length > 0 && error.errors.every(isNameFailure)
  return isError(error) && /^(ENOTFOUND|EAI_AGAIN)$/.test((error as NodeJS.ErrnoException).code ?? '')
}

/** Returns true when a row may have caused the error, so that the other rows can be written without it. */
export function isRowsFault(error: unknown): boolean {
  return isCertainlyRowsFault(error) || (isServerError(error) && shownAtRow(error) && !isTransient(error))
}

/**
 * Returns true for data exceptions, constraints, WITH CHECK OPTION and policies, limits, rows whose keys a
 * trigger made equal, errors that functions raise, and what input functions refuse. Any other error at a row
 * may also come from a trigger that fails for every row.
 */
export function isCertainlyRowsFault(error: unknown): boolean {
  if (!isServerError(error)) return false
  if (/^(20|21|22|23|2F|38|39|44|54|P0)/.test(error.code) || refusesValue(error)) return true
  return (isRaised(error) && !isTransient(error)) || error.routine === 'ExecWithCheckOptions'
}
