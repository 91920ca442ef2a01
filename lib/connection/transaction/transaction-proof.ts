import { isServerError } from '../server-error.ts'

/**
 * A callback may have ended the transaction that it was called in. What comes after it has to prove, within
 * its own statement and so without a round trip, that it runs in the same transaction.
 */

/**
 * A setting that nobody has. Reading it fails with a message that names it, whatever the language of
 * messages.
 */
const MISSING_SETTING = 'pg_batch.transaction_has_ended'

const UNDEFINED_OBJECT = '42704'

/** A condition that holds in the transaction `xid`, and fails the statement in any other and in none. */
export function isTransaction(xid: string): string {
  return (
    `(SELECT CASE WHEN pg_catalog.pg_current_xact_id_if_assigned() IS NOT DISTINCT FROM '${xid}'::pg_catalog.xid8 ` +
    `THEN true ELSE pg_catalog.current_setting('${MISSING_SETTING}')::boolean END)`
  )
}

/** For servers without transaction ids: a savepoint lives as long as its transaction. */
export const PROOF_SAVEPOINT = 'pg_batch_proof'

const NO_ACTIVE_TRANSACTION = '25P01'
const NO_SUCH_SAVEPOINT = '3B001'

/** True when the proof failed: the transaction is over. */
export function saysEnded(error: unknown): boolean {
  if (!isServerError(error)) return false
  const { code, message } = error
  if (code === UNDEFINED_OBJECT) return message.includes(MISSING_SETTING)
  return code === NO_ACTIVE_TRANSACTION || code === NO_SUCH_SAVEPOINT
}

const IN_FAILED_TRANSACTION = '25P02'

/** True when an earlier statement has failed in the transaction, after which it can only be rolled back. */
export function saysFailed(error: unknown): boolean {
  return isServerError(error) && error.code === IN_FAILED_TRANSACTION
}
