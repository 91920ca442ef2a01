/** Exit statuses, as `--help` documents them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Ends the command with one line on standard error and a status. Its text is for the user as it stands. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly status: number
  /** Its text was written already, in another form. */
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

/** Ctrl-C, or another signal that asks to stop. */
export function interruptedError(message: string): ExitError {
  return new ExitError(message, EXIT.interrupted)
}
