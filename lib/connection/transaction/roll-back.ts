import type { PgResultLike } from '../pg-types.ts'
import type { Lease } from '../pool/lease.ts'
import { lastResult, queryText } from '../query-text.ts'
import { connectionSurvives, isServerError } from '../server-error.ts'
import type { TransactionTicket } from './ticket.ts'
import { saysOutOfStep } from './transaction-errors.ts'
import { hasProofSavepoint, rollbackAndAsk } from './transaction-proof.ts'

/** What is known of a transaction that is to be rolled back. */
interface OpenTransaction {
  readonly timeoutMs: number
  readonly ticket?: TransactionTicket | undefined
  /** Without a ticket, a savepoint proves that the transaction has not ended. */
  readonly savepointed?: boolean
  /** Something else may have ended it. */
  readonly isDoubtful?: boolean
}

/**
 * Rolls back, and returns how the transaction has ended. Where something else may have ended it, asks the
 * server in the same query string. Never throws: marks a client that cannot answer as broken.
 */
export async function rollBack(
  lease: Lease,
  { timeoutMs, ticket, savepointed, isDoubtful }: OpenTransaction,
): Promise<'rolled-back' | 'committed' | 'lost'> {
  if (lease.broken) return isDoubtful && saysOutOfStep(lease.broken) ? 'lost' : 'rolled-back'
  /** Runs statements that end the transaction; returns the last one's result. */
  const run = async (text: string): Promise<PgResultLike> =>
    lastResult(await lease.within(timeoutMs, queryText(lease.client, text)))
  let hasEnded = false
  try {
    if (isDoubtful && ticket) return await askDespiteCancel(lease, () => rollbackAndAsk(run, ticket.xid))
    if (isDoubtful && savepointed) hasEnded = !(await hasProofSavepoint(run))
    await run('ROLLBACK')
  } catch (error) {
    lease.broken ??= error as Error
    // ROLLBACK does not fail: this was the answer to something that a callback has sent
    if (isDoubtful && ticket && (connectionSurvives(error) || saysOutOfStep(error))) return 'lost'
  }
  return hasEnded ? 'lost' : 'rolled-back'
}

const QUERY_CANCELED = '57014'

/**
 * Asks once more if the question was cancelled: the cancel of an earlier statement may come late. The
 * connection may be out of step then, and a cancel may have been the answer to something else: either way the
 * next answer reports how the transaction has ended.
 */
async function askDespiteCancel<T>(lease: Lease, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isServerError(error) || error.code !== QUERY_CANCELED) throw error
    lease.broken ??= error
    return await ask()
  }
}
