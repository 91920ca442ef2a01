import { EXIT, type ExitError } from '../exit-error.ts'
import type { Output } from '../terminal/output.ts'
import { cut } from '../terminal/visible.ts'
import { jsonLine } from '../watch/json-log.ts'

/** How the command prints messages. */
export type OutputMode = 'lines' | 'json' | 'quiet'

/**
 * Finds `--log json` and `--quiet` in the arguments, before they are checked. A usage error is printed in
 * that form, too.
 */
export function outputModeOf(argv: readonly string[]): OutputMode {
  const end = argv.indexOf('--')
  const options = end < 0 ? argv : argv.slice(0, end)
  const json = options.some(
    (arg, at) => arg === '--log=json' || (arg === '--log' && options[at + 1] === 'json'),
  )
  if (json) return 'json'
  return options.includes('--quiet') ? 'quiet' : 'lines'
}

/**
 * Prints why the command ends, unless it was printed already. In JSON it is the event `end`, as at the end of
 * a load.
 */
export function reportError(error: ExitError, status: number, mode: OutputMode, output: Output): void {
  if (error.reported) return
  if (mode === 'json') output.note(endEvent(error.message, status))
  else output.note(cut(`pg-batch: ${error.message}`))
}

/** Reports an unexpected error with its stack. */
export function reportUnexpected(error: unknown, output: Output): void {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  output.note(endEvent(message, EXIT.failed, stack))
}

function endEvent(error: string, status: number, stack?: string): string {
  const outcome = status >= EXIT.interrupted - 1 ? 'interrupted' : 'failed'
  return jsonLine('end', { outcome, error, status, ...(stack === undefined ? {} : { stack }) })
}

/** Returns how to print a line that is not the end of the command. */
export function noteIn(mode: OutputMode, output: Output): (message: string) => void {
  return message => output.note(mode === 'json' ? jsonLine('note', { message }) : cut(`pg-batch: ${message}`))
}

/**
 * Prints warnings of Node.js and of packages in the form of the command's messages. Deprecations are left
 * out: they concern this package and not its users.
 */
export function redirectWarnings(mode: OutputMode, output: Output): void {
  if (process.listenerCount('warning') === 0) return // Node.js runs with --no-warnings
  process.removeAllListeners('warning')
  const note = noteIn(mode, output)
  process.on('warning', ({ name, message }) => {
    if (mode === 'quiet' || name === 'DeprecationWarning') return
    note(mode === 'json' ? message : `warning: ${message}`)
  })
}
