import type { Timelines } from '../timelines.ts'
import { nextTicketStatement, type TransactionTicket, ticketStatement } from './ticket.ts'
import { PROOF_SAVEPOINT, proofStatement } from './transaction-proof.ts'

export interface TransactionOptions {
  /** The server cancels a statement that takes longer; the connection is ended if it does not answer. */
  readonly statementTimeoutMs: number
  /** The server has so long to answer COMMIT or ROLLBACK; then the connection is ended. */
  readonly commitTimeoutMs: number
  /** The server can report the outcome of a transaction; false for servers other than PostgreSQL. */
  readonly ticketed: boolean
  /**
   * The transaction lasts as long as its rows come. The server limits neither its statements nor its pauses;
   * only its silence is limited, here.
   */
  readonly endless?: boolean
  /** Each statement sees what others have committed before it, whatever the session's isolation level is. */
  readonly readCommitted?: boolean
  /** Those of the transactions that have committed: one on a former primary does not commit. */
  readonly timelines?: Timelines
  /** Without tickets, a savepoint proves that the transaction has not ended; false without savepoints. */
  readonly savepointed?: boolean
}

/** Statements of a query string around the one that it is for. */
export interface StatementsAround {
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}

/** Returns the statements that begin a transaction. */
export function openingStatements(options: TransactionOptions): string[] {
  const { ticketed, savepointed, endless, readCommitted, statementTimeoutMs } = options
  const begin = readCommitted ? 'BEGIN ISOLATION LEVEL READ COMMITTED' : 'BEGIN'
  if (ticketed) return [begin, ticketStatement(endless ? undefined : statementTimeoutMs)]
  return savepointed ? [begin, `SAVEPOINT ${PROOF_SAVEPOINT}`] : [begin]
}

/** Returns the statements that begin a transaction in the query string of the COMMIT before it. */
export function followingStatements(ticket: TransactionTicket): string[] {
  return ['BEGIN ISOLATION LEVEL READ COMMITTED', nextTicketStatement(ticket)]
}

/** Returns the statements that commit a transaction, and fail outside of it. */
export function closingStatements(
  { savepointed }: TransactionOptions,
  ticket: TransactionTicket | undefined,
): string[] {
  if (ticket) return [proofStatement(ticket.xid), 'COMMIT']
  return savepointed ? [`RELEASE SAVEPOINT ${PROOF_SAVEPOINT}`, 'COMMIT'] : ['COMMIT']
}
