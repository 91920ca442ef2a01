import { NoServer } from '../../connection/pool/hosts-pool.ts'
import { UnsuitableServer } from '../../connection/pool/session-attrs.ts'
import { isServerError } from '../../connection/server-error.ts'
import { StandbyError } from '../../connection/transaction/outcome.ts'
import type { ServerWatch } from '../../connection/transaction/server-watch.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'

/** The server starts, recovers or shuts down. */
const CANNOT_CONNECT_NOW = '57P03'

/** Nothing listens. */
const REFUSED = 'ECONNREFUSED'

/** A question that was not answered. */
export interface FailedQuestion {
  readonly askedAt: number
  readonly failedAt: number
  /** A session was there to ask it. */
  readonly isConnected: boolean
}

/**
 * Notes what the failure of a question shows of the server. Silence shows nothing; a connection that was there and was
 * cut shows a server that may have come up just then.
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

/** Returns true for a connection to a server that serves nobody: none was made, or only to be told so. */
export function isServerDown(error: unknown): boolean {
  if (error instanceof NoServer) {
    const primaries = error.errors.filter(each => !(each instanceof UnsuitableServer))
    return primaries.length > 0 && primaries.every(isServerDown)
  }
  if (isAggregateError(error)) return error.errors.length > 0 && error.errors.every(isServerDown)
  if (isServerError(error)) return error.code === CANNOT_CONNECT_NOW
  return isError(error) && (error as NodeJS.ErrnoException).code === REFUSED
}

/** Returns true for a connection that the other side has ended before it was a session. */
function isCut(error: unknown): boolean {
  if (error instanceof NoServer) return error.errors.some(isCut)
  if (!isError(error)) return false
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'Connection terminated unexpectedly'
}
