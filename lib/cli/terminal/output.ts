import { EXIT } from '../exit-error.ts'
import { visible, visibleLines } from './visible.ts'

/** Where the command writes. Results go to standard output; what a pipe should not see, to standard error. */
export interface Output {
  /** A line, or several. */
  result(text: string): void
  /** One line. */
  note(line: string): void
}

export const terminal: Output = {
  result: text => process.stdout.write(`${visibleLines(text)}\n`),
  note: line => process.stderr.write(`${visible(line)}\n`),
}

/** `pg-batch … | head -1` closes the pipe when it has seen enough; that is no error of ours. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') process.exitCode = EXIT.failed
    })
  }
}
