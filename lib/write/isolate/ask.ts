import { connectionSurvives, isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'

/**
 * Asks the server something that helps if it is answered, under a savepoint. Resolves to undefined where the
 * server refuses the question: the role may not read a table, for example.
 */
export async function askIfAllowed<Answer>(
  transaction: Transaction,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  transaction.before('SAVEPOINT pg_batch_question')
  try {
    const answer = await ask()
    transaction.before('RELEASE SAVEPOINT pg_batch_question')
    return answer
  } catch (error) {
    if (!isServerError(error) || !connectionSurvives(error)) throw error
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch_question; RELEASE SAVEPOINT pg_batch_question')
    return undefined
  }
}
