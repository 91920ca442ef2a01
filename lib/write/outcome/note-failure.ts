import { NoServer } from '../../connection/pool/hosts-pool.ts'
import { UnsuitableServer } from '../../connection/pool/session-attrs.ts'
import { isServerError } from '../../connection/server-error.ts'
import { StandbyError } from '../../connection/transaction/outcome.ts'
import type { ServerWatch } from '../../connection/transaction/server-watch.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'
import { isMissingSocket } from '../faults/transient.ts'

/** The server is starting, recovering or shutting down. */
const CANNOT_CONNECT_NOW = '57P03'

/** No server listens. */
const REFUSED = 'ECONNREFUSED'

/** A question that was not answered. */
export interface FailedQuestion {
  readonly askedAt: number
  readonly failedAt: number
  /** There was a session to ask it on. */
  readonly isConnected: boolean
}

/**
 * Notes what the failure of a question shows of the server. Silence shows nothing. A connection that existed
 * and was cut shows a server that may have started just then.
 */
export function noteFailure(
  watch: ServerWatch,
  error: unknown,
  { askedAt, failedAt, isConnected }: FailedQuestion,
): void {
  if (error instanceof StandbyError) return // another server
  if (isServerDown(error)) watch.sawDown(askedAt, failedAt)
  else if (isConnected || isServerError(error) || isCut(error)) watch.sawUp(askedAt, failedAt)
}

/** Returns true when the server is down: there was no connection, or only one that reported that. */
export function isServerDown(error: unknown): boolean {
  if (error instanceof NoServer) {
    const primaries = error.errors.filter(each => !(each instanceof UnsuitableServer))
    return primaries.length > 0 && primaries.every(isServerDown)
  }
  if (isAggregateError(error)) return error.errors.length > 0 && error.errors.every(isServerDown)
  if (isServerError(error)) return error.code === CANNOT_CONNECT_NOW
  return (isError(error) && (error as NodeJS.ErrnoException).code === REFUSED) || isMissingSocket(error)
}

/** Returns true for a connection that the other side has ended before there was a session. */
function isCut(error: unknown): boolean {
  if (error instanceof NoServer) return error.errors.some(isCut)
  if (!isError(error)) return false
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'Connection terminated unexpectedly'
}
