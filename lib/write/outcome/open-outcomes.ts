/**
 * Counts the transactions of a stream whose outcome is open. While there is one, no other begins: a server that has
 * crashed may give its id to a new transaction, and the answer would be about that one.
 */
export class OpenOutcomes {
  #count = 0
  #onNone: (() => void)[] = []

  /** Resolves at once while every outcome is known, else when it is. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>(resolve => this.#onNone.push(resolve))
  }

  /** Holds others back until `resolve` has settled. */
  async during<T>(resolve: () => Promise<T>): Promise<T> {
    this.#count++
    try {
      return await resolve()
    } finally {
      if (--this.#count === 0) for (const tell of this.#onNone.splice(0)) tell()
    }
  }
}
