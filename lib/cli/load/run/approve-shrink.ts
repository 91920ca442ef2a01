import { formatCount, plural } from '../../../values/format-count.ts'
import type { LoadCounts } from '../../../write/write-context.ts'
import type { LoadArguments } from '../../arguments/arguments.ts'
import { dataError } from '../../exit-error.ts'
import { confirmed } from '../../terminal/confirm.ts'
import type { Terminal } from '../../terminal/output.ts'

/** The command, as far as it decides whether the user can be asked. */
export interface Asking {
  readonly args: Pick<LoadArguments, 'table' | 'files' | 'allowShrink' | 'quiet' | 'log'>
  /** Prints a line on standard error. */
  readonly note: (line: string) => void
  readonly terminal: Pick<Terminal, 'stdin' | 'stderr'>
  readonly signal: AbortSignal
}

/**
 * Asks, on a terminal, before a replacement leaves fewer than half as many rows: the file may be cut short.
 * @throws ExitError if the answer is no, or there is no terminal
 */
export async function approveShrink(
  { rows, stored = 0 }: LoadCounts,
  { args, note, terminal, signal }: Asking,
): Promise<void> {
  if (args.allowShrink || rows * 2 >= stored) return
  const left = rows === 0 ? 'none' : formatCount(rows)
  const change = `${args.table} has ${plural(stored, 'row')}, and ${left} would remain`
  if (mayAsk(args, terminal)) {
    note(`${change}. Replace them? [y/N]`)
    if (await confirmed(terminal.stdin, signal)) return
  }
  throw dataError(`${change}; if the file is complete, add --allow-shrink`)
}

function mayAsk({ files, quiet, log }: Asking['args'], { stdin, stderr }: Asking['terminal']): boolean {
  const isTerminal = stdin.isTTY === true && stderr.isTTY === true
  return isTerminal && !files.includes('-') && !quiet && !log
}
