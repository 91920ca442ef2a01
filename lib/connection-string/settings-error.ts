/** A connection string or a PG* variable that cannot be used. The message contains no part of a password. */
export class ConnectionStringError extends Error {
  override readonly name = 'ConnectionStringError'
}

export const EXAMPLE_URL = 'postgres://user:password@host:5432/database'

const PERCENT_ENCODE =
  'percent-encode these characters of a user or a password: ' +
  '@ is %40, / is %2F, : is %3A, ? is %3F, # is %23, % is %25'

/** Returns the error for a text that is no connection string, and says why. */
export function unlike(source: string, why: string): ConnectionStringError {
  return new ConnectionStringError(`Expected ${source} to look like ${EXAMPLE_URL}${why}`)
}

/** Returns the error for a text that cannot be split: any part of it may belong to the password. */
export function malformed(source: string, fault = ''): ConnectionStringError {
  return unlike(source, `${fault}; ${PERCENT_ENCODE}`)
}
