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

export interface Terminal extends Output, Surroundings {}

export function terminalOf({ env, stdin, stdout, stderr }: Surroundings): Terminal {
  return {
    env,
    stdin,
    stdout,
    stderr,
    result: text => stdout.write(`${visibleLines(text)}\n`),
    note: line => stderr.write(`${visible(line)}\n`),
  }
}

/** Returns true if messages show values from the input: on a terminal. Values do not belong in logs. */
export function showsValues({ stderr }: Terminal, { log }: { readonly log?: string }): boolean {
  return stderr.isTTY === true && log !== 'json'
}

/** Ignores a closed pipe: in `pg-batch … | head -1` it is not an error. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') process.exitCode = EXIT.failed
    })
  }
}
