import type { LoadArguments } from '../arguments/arguments.ts'
import { retrying } from '../database/retrying.ts'
import { ExitError, interruptedError } from '../exit-error.ts'
import { announced } from '../signals.ts'
import { interruptedLine } from '../terminal/messages.ts'

/** What prints lines while the server is waited for, and the signal of the load. */
export interface Waiting {
  readonly args: Pick<LoadArguments, 'table'>
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Waits for the server, which may wait for another session's lock. When the connection fails, the work is
 * done again, so it must be work that may be done twice.
 */
export async function waitingForServer<T>(
  { args, notify, signal }: Waiting,
  work: () => Promise<T>,
  doing = 'waiting for the server, which works or waits for a lock',
): Promise<T> {
  try {
    const note = (line: string) => notify(`${args.table}: ${line}`)
    return await announced({ signal, notify, doing }, () => retrying({ notify: note, signal }, work))
  } catch (error) {
    const isExplained = error instanceof ExitError
    throw signal.aborted && !isExplained ? interruptedError(interruptedLine(args.table, 0)) : error
  }
}
