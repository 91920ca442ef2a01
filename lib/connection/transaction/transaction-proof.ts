import type { PgResultLike } from '../pg-types.ts'
import { connectionSurvives } from '../server-error.ts'

/*
 * A callback may have ended the transaction that it was called in. A later statement has to prove, within
 * itself and so without a round trip, that it runs in the same transaction.
 */

/** Runs statements and returns the result of the last one. */
type RunStatements = (text: string) => Promise<PgResultLike>

/** A setting that does not exist. Reading it fails with a message that names it, in every language. */
export const MISSING_SETTING = 'pg_batch.transaction_has_ended'

/** Returns a condition that holds in the transaction `xid`, and fails a statement anywhere else. */
export function isTransaction(xid: string): string {
  return `(${proofStatement(xid)})`
}

/** Returns a statement that fails anywhere but in the transaction `xid`. */
export function proofStatement(xid: string): string {
  return (
    `SELECT CASE WHEN pg_catalog.pg_current_xact_id_if_assigned() IS NOT DISTINCT FROM '${xid}'` +
    `::pg_catalog.xid8 THEN true ELSE pg_catalog.current_setting('${MISSING_SETTING}')::boolean END`
  )
}

/** For servers without transaction ids: a savepoint lives as long as its transaction. */
export const PROOF_SAVEPOINT = 'pg_batch_proof'

/** Statements that fail where the savepoint has gone. */
export const PROOF_BY_SAVEPOINT = `RELEASE SAVEPOINT ${PROOF_SAVEPOINT}; SAVEPOINT ${PROOF_SAVEPOINT}`

/** Returns false when the transaction has ended. A failed transaction still has its savepoint. */
export async function hasProofSavepoint(run: RunStatements): Promise<boolean> {
  try {
    await run(`ROLLBACK TO SAVEPOINT ${PROOF_SAVEPOINT}`)
    return true
  } catch (error) {
    if (!connectionSurvives(error)) throw error
    return false
  }
}

/** Rolls back, and returns how the transaction `xid` has ended, which a callback may have done before. */
export async function rollbackAndAsk(
  run: RunStatements,
  xid: string,
): Promise<'rolled-back' | 'committed' | 'lost'> {
  const { rows } = await run(
    `ROLLBACK; SELECT pg_catalog.pg_xact_status('${xid}'::pg_catalog.xid8) AS status`,
  )
  const status = rows[0]?.status
  if (status === 'committed') return 'committed'
  return status === 'aborted' ? 'rolled-back' : 'lost'
}
