/** A connection string, or a PG* variable, that cannot be used. Its text holds no piece of a password. */
export class ConnectionStringError extends Error {
  override readonly name = 'ConnectionStringError'
}

export const EXAMPLE_URL = 'postgres://user:password@host:5432/database'

/** The error of a text that cannot be cut into its parts, any of which may be a piece of the password. */
export function malformed(source: string, fault = ''): ConnectionStringError {
  return new ConnectionStringError(
    `Expected ${source} to look like ${EXAMPLE_URL}${fault}; in a user or password write @ : / ? # % as %40 %3A %2F %3F %23 %25`,
  )
}
