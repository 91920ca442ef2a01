import { Lease } from '../../connection/pool/lease.ts'
import { endTransaction } from '../../connection/transaction/outcome.ts'
import type { TransactionTicket } from '../../connection/transaction/ticket.ts'
import type { OutcomeContext } from './resolve-outcome.ts'

/** A transaction whose connection broke before it ended. */
export interface OrphanedTransaction {
  readonly ticket: TransactionTicket
  readonly commitSent: boolean
}

/**
 * Terminates the session of a transaction whose connection broke, if the server has not noticed: a network
 * that drops packets drops the end of a connection, too. The transaction's locks (on a checkpoint, on keys)
 * would block every further attempt until the kernel gives the connection up, hours later.
 * @returns false when the server could not be reached; call it again before the next attempt
 */
export async function terminateOrphan(
  { ticket, commitSent }: OrphanedTransaction,
  { pool, signals, limits }: OutcomeContext,
): Promise<boolean> {
  try {
    await Lease.use(
      pool,
      client => endTransaction(client, ticket, { mayCommit: commitSent }),
      limits.statementTimeoutMs,
      signals,
    )
    return true
  } catch {
    return false
  }
}
