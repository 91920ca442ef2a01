import type { PgTransactionClient } from '../pg-transaction-client.ts'
import type { Lease } from '../pool/lease.ts'
import { CallbackClient } from './callback-client.ts'
import { CallbackTimeout } from './callback-limits.ts'

/**
 * Lends the client of a lease to the callback of an option. Ends the connection when the callback leaves it
 * in use, and rejects at the latest when the connection ends.
 * @param answered waits for an answer of the server, with a deadline
 */
export async function lendClient(
  option: string,
  lease: Lease,
  callback: (client: PgTransactionClient) => Promise<void>,
  answered: <T>(answer: Promise<T>) => Promise<T>,
): Promise<void> {
  const lent = new CallbackClient(option, lease.client, answered)
  try {
    await lease.whileConnected(callback(lent.client))
    await lease.whileConnected(lent.settle())
  } catch (error) {
    // ROLLBACK would wait for something that does not end
    if (lent.hasOpenStream || (error instanceof CallbackTimeout && lent.isBusy)) lease.end(error as Error)
    throw error
  } finally {
    lent.revoke()
  }
}
