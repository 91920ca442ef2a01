import { EXIT } from '../exit-error.ts'
import { visible, visibleLines } from './visible.ts'

/** Where the command prints. Results go to standard output. All else goes to standard error. */
export interface Output {
  /** Prints one or several lines. */
  result(text: string): void
  /** Prints one line. */
  note(line: string): void
}

export const terminal: Output = {
  result: text => process.stdout.write(`${visibleLines(text)}\n`),
  note: line => process.stderr.write(`${visible(line)}\n`),
}

/** Ignores a closed pipe: in `pg-batch … | head -1` it is not an error. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') process.exitCode = EXIT.failed
    })
  }
}
