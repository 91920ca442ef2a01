import { SwallowedError, saysEnded, saysFailed, TransactionEnded } from '../transaction-errors.ts'

/**
 * What callbacks that had the client may have done to a transaction. Each of them may have ended it, or have
 * ignored an error in it, until the answer to a later statement proves that the transaction continues.
 */
export class CallbackEffects {
  /** The option whose callback had the client last. */
  #option = 'inTransaction'
  #isDoubtful = false
  #haveEnded = false
  #isProofSent = false

  /** Callbacks may have ended the transaction, or ignored an error. */
  get isDoubtful(): boolean {
    return this.#isDoubtful
  }

  /** A proof has failed: something other than `commit` and `rollback` has ended the transaction. */
  get haveEnded(): boolean {
    return this.#haveEnded
  }

  /** The answer to the next statement proves that the transaction continues. */
  get isProofSent(): boolean {
    return this.#isProofSent
  }

  /** Notes that the callback of an option gets the client. */
  begin(option: string): void {
    this.#isDoubtful = true
    this.#option = option
  }

  /** Notes that a proof travels in front of the next statement. */
  proofSent(): void {
    this.#isProofSent = true
  }

  /** Notes that the statement was answered. */
  answered(): void {
    if (this.#isProofSent) this.#isDoubtful = false
    this.#isProofSent = false
  }

  /** Returns the error that says what a callback has done to the transaction, or the same error. */
  explained(error: unknown): unknown {
    if (saysEnded(error)) {
      this.#isDoubtful = true
      this.#haveEnded = true
      return this.endedError()
    }
    return this.#isDoubtful && saysFailed(error) ? this.swallowedError() : error
  }

  endedError(): TransactionEnded {
    return new TransactionEnded(this.#option)
  }

  swallowedError(): SwallowedError {
    return new SwallowedError(this.#option)
  }
}
