import { takesSubmittables } from '../pool/driver-modes.ts'
import type { Lease } from '../pool/lease.ts'
import type { TransactionOptions } from './opening.ts'
import { Transaction } from './transaction.ts'

/**
 * Begins a transaction before its first statement is known. Resolves to undefined where that is of no use:
 * BEGIN has failed, or the first statement decides what the transaction sees.
 */
export async function beginEarly(
  lease: Lease,
  options: TransactionOptions,
): Promise<Transaction | undefined> {
  const opening = new Transaction(lease, options)
  await opening.begin().catch(() => {})
  const { ticket } = opening
  if (ticket?.isReadCommitted && takesSubmittables(lease.client)) {
    return new Transaction(lease, options, ticket)
  }
  await opening.rollback()
  return undefined
}
