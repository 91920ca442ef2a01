import type { PgBatchError } from '../../errors.ts'
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

/** The server is a standby, or the session may only read. Before the first row that is no accident. */
const READ_ONLY = '25006'

/**
 * Waits for the server, which may wait for another session's lock. After a transient failure, such as a
 * broken connection, the work is done again, so it must be work that may be done twice.
 */
export async function waitingForServer<T>(
  { args, notify, signal }: Waiting,
  work: () => Promise<T>,
  doing = 'waiting for the server, which works or waits for a lock',
): Promise<T> {
  try {
    const isTransient = ({ retryable, sqlState }: PgBatchError) => retryable && sqlState !== READ_ONLY
    const options = { name: args.table, notify, signal, isTransient }
    return await announced({ signal, notify, doing }, () => retrying(options, work))
  } catch (error) {
    // without a cause it says what the user has to know: that a COMMIT may be done, or what is missing
    const isLast = error instanceof ExitError && error.cause === undefined
    throw signal.aborted && !isLast ? interruptedError(interruptedLine(args.table)) : error
  }
}
