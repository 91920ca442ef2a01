import { DeadlineError } from '../deadline-error.ts'
import type { Lease } from '../pool/lease.ts'
import { allResults, queryText } from '../query-text.ts'
import { connectionSurvives } from '../server-error.ts'
import { SimpleQuery } from '../simple-query.ts'
import type { CallbackEffects } from './callbacks/callback-effects.ts'
import { rollBack } from './roll-back.ts'
import type { ServerWatch } from './server-watch.ts'
import { readTicket, type TransactionTicket } from './ticket.ts'
import { saysEnded, saysFailed, saysRolledBack } from './transaction-errors.ts'

/** A COMMIT that was sent. */
export interface SentCommit {
  readonly lease: Lease
  readonly timeoutMs: number
  /** What is seen of the server since. */
  readonly watch: ServerWatch
  readonly callbacks: CallbackEffects
  /**
   * A callback had the client, and the statement in front of COMMIT asks which transaction this is. If the
   * callback has sent something past its client, answers to that may come in place of theirs.
   */
  readonly isProof: boolean
  /** The statements that begin the next transaction are sent after COMMIT, in the same query string. */
  readonly beginsNext: boolean
}

/** The state in which COMMIT leaves its transaction. */
export type CommitOutcome =
  | { readonly state: 'committed'; readonly next?: TransactionTicket | undefined }
  | {
      /**
       * `open`: COMMIT did not run, or its failure may be that of another statement. `committing`: only the
       * server knows the outcome. `lost`: the answers are not those of COMMIT.
       */
      readonly state: 'open' | 'rolled-back' | 'committing' | 'lost'
      readonly error: unknown
    }

/** Sends COMMIT by itself, and waits for its outcome. */
export function commitAlone(commit: SentCommit, text: string): Promise<CommitOutcome> {
  const { client } = commit.lease
  if (commit.beginsNext) return queryOutcome(commit, SimpleQuery.open(client, text))
  const tags = queryText(client, text).then(results => allResults(results).map(({ command }) => command))
  return commitOutcome(commit, tags)
}

/**
 * Waits for the outcome of COMMIT that was sent with rows.
 * @param rows settles when the server has answered what is in front of COMMIT
 * @param answered waits for the server no longer than a statement may take
 */
export async function commitBehind(
  commit: SentCommit,
  rows: Promise<unknown>,
  query: SimpleQuery,
  answered: (answer: Promise<unknown>) => Promise<unknown>,
): Promise<CommitOutcome> {
  try {
    await rows
  } catch (error) {
    if (!connectionSurvives(error)) return await commitOutcome(commit, Promise.reject(error))
    // COMMIT did not run
    await answered(query.settled).catch(refusal => commit.lease.noteFailure(refusal))
    return { state: 'open', error }
  }
  return await queryOutcome(commit, query)
}

/**
 * Waits for the answer to COMMIT. Checks its command tag, because the server answers COMMIT of a failed
 * transaction with ROLLBACK and no error.
 * @param answer resolves to the command tags of all statements that were sent, up to COMMIT's
 */
export async function commitOutcome(
  commit: SentCommit,
  answer: Promise<readonly (string | undefined)[]>,
): Promise<CommitOutcome> {
  const { lease, callbacks } = commit
  try {
    const tags = await lease.within(commit.timeoutMs, answer)
    if (commit.isProof && !isProofAndCommit(tags)) {
      const error = callbacks.endedError()
      lease.broken ??= error // more answers may be on their way
      return { state: 'lost', error }
    }
    if (tags.at(-1) !== 'ROLLBACK') return { state: 'committed' }
  } catch (error) {
    return await failedCommit(commit, error)
  }
  // the answer may be that of a callback's own ROLLBACK, with COMMIT's answer still to come
  if (callbacks.isDoubtful || commit.beginsNext) lease.broken ??= callbacks.endedError()
  return { state: 'rolled-back', error: callbacks.swallowedError() }
}

/**
 * Returns true for the answers to the statement that asks which transaction this is, and to COMMIT. A driver
 * whose results have no command tags is believed.
 */
function isProofAndCommit(tags: readonly (string | undefined)[]): boolean {
  if (tags.length > 0 && tags.every(tag => tag === undefined)) return true
  return tags.length === 2 && tags[0] === 'SELECT' && tags[1] === 'COMMIT'
}

async function failedCommit(
  { lease, timeoutMs, watch, callbacks, isProof }: SentCommit,
  error: unknown,
): Promise<CommitOutcome> {
  if (!(error instanceof DeadlineError)) watch.lost(performance.now())
  if (saysEnded(error) || saysFailed(error)) return { state: 'open', error: callbacks.explained(error) }
  if (saysRolledBack(error)) {
    if (isProof) return { state: 'open', error } // `rollback` asks how the transaction has ended
    // the statement in front of COMMIT may have failed, by a cancel: then the transaction is still open
    await rollBack(lease, { timeoutMs })
    return { state: 'rolled-back', error }
  }
  lease.broken ??= error as Error
  return { state: 'committing', error }
}

/** Waits for the outcome of COMMIT in a query string that may have statements before and after it. */
async function queryOutcome(commit: SentCommit, query: SimpleQuery): Promise<CommitOutcome> {
  const outcome = await commitOutcome(commit, tagsToTheEnd(query, commit.lease))
  if (outcome.state !== 'committed' || !commit.beginsNext || commit.lease.broken) return outcome
  return { state: 'committed', next: readTicket(query.rows.at(-1)) }
}

/** Waits for the command tags up to that of the statement that ends the transaction. */
async function tagsToTheEnd(query: SimpleQuery, lease: Lease): Promise<readonly string[]> {
  const end = () => query.tags.findIndex(tag => tag === 'COMMIT' || tag === 'ROLLBACK')
  try {
    await query.settled
  } catch (error) {
    // what fails after COMMIT is the beginning of the next transaction
    if (end() < 0) throw error
    lease.broken ??= error as Error
  }
  return query.tags.slice(0, end() + 1)
}
