import type { Readable } from 'node:stream'
import { EXIT } from '../exit-error.ts'
import { visible, visibleLines } from './visible.ts'

/** Where the command prints. Results go to standard output. All else goes to standard error. */
export interface Output {
  /** Prints one or several lines. */
  result(text: string): void
  /** Prints one line. */
  note(line: string): void
}

/** Standard output or standard error. */
export interface Printer extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  /** The width of a terminal, or 0 if it does not know it. */
  readonly columns?: number
}

/** What the command sees of its process. A test gives it something else. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean; unref?(): unknown }
  readonly stdout: Printer
  readonly stderr: Printer
}

export interface Terminal extends Output, Surroundings {
  /** Set when a load has committed rows: a result that cannot be printed does not undo it. */
  hasCommitted: boolean
}

export function terminalOf(surroundings: Surroundings): Terminal {
  const { env, stdout, stderr } = surroundings
  return {
    env,
    // Node.js opens standard input when it is first used, which takes 2 to 7 ms
    get stdin() {
      return surroundings.stdin
    },
    stdout,
    stderr,
    hasCommitted: false,
    result: text => stdout.write(`${visibleLines(text)}\n`),
    note: line => stderr.write(`${visible(line)}\n`),
  }
}

/** Returns true if messages show values from the input: on a terminal. Values do not belong in logs. */
export function showsValues({ stderr }: Terminal, { log }: { readonly log?: string }): boolean {
  return stderr.isTTY === true && log !== 'json'
}

/**
 * Ignores a closed pipe: in `pg-batch … | head -1` it is not an error. Otherwise, as on a full disk, what is
 * lost of standard output is reported once, and is a failure. What is lost of standard error cannot be
 * reported.
 */
export function watchOutputs(terminal: Terminal, report: (lost: string) => void): void {
  let isReported = false
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isReported) return
    isReported = true
    const stored = terminal.hasCommitted ? '; rows that were loaded are committed' : ''
    report(`standard output cannot be written: ${error.message}${stored}`)
    // the status that the command ends with is set after this
    process.once('exit', () => {
      process.exitCode ||= EXIT.failed
    })
  })
}
