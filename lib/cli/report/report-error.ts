import { EXIT, type ExitError } from '../exit-error.ts'
import type { Output } from '../terminal/output.ts'
import { cut } from '../terminal/visible.ts'
import { jsonLine } from '../watch/json-log.ts'

/** What the command says by itself, before and beside a load. */
export type OutputMode = 'lines' | 'json' | 'quiet'

/** Looks for `--log json` and `--quiet` among the words, which may be wrong: what is said of that is to have their form. */
export function outputModeOf(words: readonly string[]): OutputMode {
  const end = words.indexOf('--')
  const options = end < 0 ? words : words.slice(0, end)
  const json = options.some(
    (word, at) => word === '--log=json' || (word === '--log' && options[at + 1] === 'json'),
  )
  if (json) return 'json'
  return options.includes('--quiet') ? 'quiet' : 'lines'
}

/** Says why the command ends with that status, unless it was said. In JSON it is the event `end`, as of a load that had begun. */
export function reportError(error: ExitError, status: number, mode: OutputMode, output: Output): void {
  if (error.reported) return
  if (mode === 'json') output.note(endEvent(error.message, status))
  else output.note(cut(`pg-batch: ${error.message}`))
}

/** Of an error that nobody has foreseen the place in the program is said, too. */
export function reportUnforeseen(error: unknown, output: Output): void {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  output.note(endEvent(message, EXIT.failed, stack))
}

function endEvent(error: string, status: number, stack?: string): string {
  const outcome = status >= EXIT.interrupted - 1 ? 'interrupted' : 'failed'
  return jsonLine('end', { outcome, error, status, ...(stack === undefined ? {} : { stack }) })
}

/**
 * Says warnings of Node.js and of packages in the command's own form, or not at all with --quiet. What is deprecated is
 * a matter for this package, and not for who runs it.
 */
export function redirectWarnings(mode: OutputMode, output: Output): void {
  if (process.listenerCount('warning') === 0) return // --no-warnings
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (mode === 'quiet' || name === 'DeprecationWarning') return
    if (mode === 'json') output.note(jsonLine('note', { message }))
    else output.note(cut(`pg-batch: warning: ${message}`))
  })
}
