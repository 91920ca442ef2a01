import { DeadlineError } from '../../connection/deadline-error.ts'
import { NoServer } from '../../connection/pool/hosts-pool.ts'

/**
 * Returns why no connection was made, in the words of the server, the socket or pg, and the next step where
 * it is known. Neither contains the password.
 */
export function connectFailure(error: unknown, connectTimeoutMs: number): string {
  if (error instanceof NoServer) return error.message
  if (error instanceof AggregateError && error.errors.length > 0)
    return connectFailure(error.errors[0], connectTimeoutMs)
  const { message } = error as Error
  // pg's timer and the pool's run equally long, so that either may fire first
  if (error instanceof DeadlineError || /connection timeout|timeout expired/.test(message))
    return `it did not answer within ${connectTimeoutMs / 1000} s (connect_timeout, PGCONNECT_TIMEOUT)`
  if (NO_PASSWORD.test(message)) return 'it asks for a password, and none is given; set PGPASSWORD'
  const [, step] = NEXT_STEPS.find(([pattern]) => pattern.test(message)) ?? []
  return step === undefined ? message : `${message}; ${step}`
}

/** What pg, or the server, says about a password that is asked for, and is missing. */
const NO_PASSWORD = /client password must be a string|empty password returned by client/

const NEXT_STEPS: readonly (readonly [pattern: RegExp, step: string])[] = [
  [/ECONNREFUSED/, 'no server listens there: check the host and the port'],
  [/ENOTFOUND/, 'check the name of the host'],
  [/ENOENT/, 'no server has its socket there: check the folder and the port'],
  [/password authentication failed/, 'check the user and the password'],
  [/(^|: )database ".*" does not exist$/, 'check its name; psql --list shows the databases'],
  [/does not support SSL/, 'sslmode=disable connects without it'],
]
