import type { PgTransactionClient } from '../../pg-transaction-client.ts'
import type { Lease } from '../../pool/lease.ts'
import { CallbackClient } from './callback-client.ts'
import { CallbackTimeout, withinCallbackTime } from './callback-limits.ts'

/** A callback that gets a client inside a transaction. */
export interface Borrower {
  /** The option that the callback belongs to, as messages name it. */
  readonly option: string
  /** How long it may take, with the queries that it has not waited for. */
  readonly timeoutMs: number
  readonly use: (client: PgTransactionClient) => Promise<void> | void
}

/**
 * Lends the client of a lease to a callback. Ends the connection when the callback leaves it in use, and
 * rejects at the latest when the connection ends.
 * @param answered waits for an answer of the server, with a deadline
 */
export async function lendClient(
  lease: Lease,
  { option, timeoutMs, use }: Borrower,
  answered: <T>(answer: Promise<T>) => Promise<T>,
): Promise<void> {
  const lent = new CallbackClient(option, lease.client, answered)
  const work = async (): Promise<void> => {
    await use(lent.client)
    await lent.settle()
  }
  try {
    await lease.whileConnected(withinCallbackTime(option, timeoutMs, work))
  } catch (error) {
    // ROLLBACK would wait for something that does not end
    if (lent.hasOpenStream || (error instanceof CallbackTimeout && lent.isBusy)) lease.end(error as Error)
    throw error
  } finally {
    lent.revoke()
  }
}
