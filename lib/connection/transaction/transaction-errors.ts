import { isError } from '../../values/is-error.ts'
import { connectionSurvives, isServerError } from '../server-error.ts'
import { MISSING_SETTING } from './transaction-proof.ts'

/** Something other than the stream has ended the transaction. */
export class TransactionEnded extends Error {
  override readonly name = 'TransactionEnded'
  /** The option whose callback had the client last. */
  readonly option: string

  constructor(option: string) {
    super(`The transaction was ended, and not by the stream (by \`${option}\`?): nothing further was stored`)
    this.option = option
  }
}

/** A statement of a callback has failed, and the callback has continued: only ROLLBACK is possible. */
export class SwallowedError extends Error {
  override readonly name = 'SwallowedError'
  /** The option whose callback had the client last. */
  readonly option: string

  constructor(option: string) {
    super(
      `A statement of \`${option}\` failed and its error was ignored: ` +
        `the transaction could only be rolled back. Let \`${option}\` throw the error, ` +
        'or run a statement that may fail in a savepoint',
    )
    this.option = option
  }
}

const UNDEFINED_OBJECT = '42704'
const NO_ACTIVE_TRANSACTION = '25P01'
const NO_SUCH_SAVEPOINT = '3B001'

/** Returns true when a proof has failed: the transaction has ended. */
export function saysEnded(error: unknown): boolean {
  if (!isServerError(error)) return false
  const { code, message } = error
  if (code === UNDEFINED_OBJECT) return message.includes(MISSING_SETTING)
  return code === NO_ACTIVE_TRANSACTION || code === NO_SUCH_SAVEPOINT
}

const IN_FAILED_TRANSACTION = '25P02'

/** Returns true when an earlier statement of the transaction has failed: only ROLLBACK is possible. */
export function saysFailed(error: unknown): boolean {
  return isServerError(error) && error.code === IN_FAILED_TRANSACTION
}

/** Returns true when pg has received an answer while it waited for none: something was sent past it. */
export function saysOutOfStep(error: unknown): boolean {
  return isError(error) && /^Received unexpected \w+ message from backend/.test(error.message)
}

const STATEMENT_COMPLETION_UNKNOWN = '40003'

/**
 * Returns true when an error in answer to COMMIT has undone it. CockroachDB reports with 40003 that it cannot
 * know.
 */
export function saysRolledBack(error: unknown): boolean {
  const isAmbiguous = isServerError(error) && error.code === STATEMENT_COMPLETION_UNKNOWN
  return connectionSurvives(error) && !isAmbiguous
}
