/** The exit statuses, as `--help` documents them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Ends the command with a status and one line on standard error. The message is printed as it is. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly status: number
  /** The message was printed already, in another form. */
  reported = false

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** The command was called wrongly. */
export function usageError(message: string, cause?: unknown): ExitError {
  return new ExitError(message, EXIT.usage, { cause })
}

/** The rows or the database are at fault. */
export function dataError(message: string, cause?: unknown): ExitError {
  return new ExitError(message, EXIT.failed, { cause })
}

/** A signal such as Ctrl-C asked the command to stop. */
export function interruptedError(message: string): ExitError {
  return new ExitError(message, EXIT.interrupted)
}
