import { Lease } from '../../connection/pool/lease.ts'
import { endTransaction, type TransactionTicket } from '../../connection/transaction/outcome.ts'
import type { OutcomeContext } from './resolve-outcome.ts'

/** A transaction whose connection broke. */
export interface OrphanedTransaction {
  readonly ticket: TransactionTicket
  readonly commitSent: boolean
}

/**
 * Ends a transaction that is left when its connection broke, where the server has not heard of that:
 * a network that swallows bytes swallows the end of a connection, too. Its locks (on a checkpoint, on keys) would keep
 * every further attempt waiting until the kernel gives the connection up, hours later.
 * @returns whether the server was told; a server that cannot be told is asked again before the next attempt
 */
export async function terminateOrphan(
  { ticket, commitSent }: OrphanedTransaction,
  { pool, signals, limits }: OutcomeContext,
): Promise<boolean> {
  try {
    await Lease.use(
      pool,
      client => endTransaction(client, ticket, { onlyIdle: commitSent }),
      limits.statementTimeoutMs,
      signals,
    )
    return true
  } catch {
    return false
  }
}
