/**
 * Counts the transactions of a stream whose outcome is open. While there is one, no other transaction begins:
 * a server that has crashed may give the id of the open one to a new transaction, and the answer would then
 * be about the new one.
 */
export class OpenOutcomes {
  #count = 0
  #onNone: (() => void)[] = []

  get areNone(): boolean {
    return this.#count === 0
  }

  /** Resolves when every outcome is known, at once if there is nothing to wait for. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>(resolve => this.#onNone.push(resolve))
  }

  /** Holds new transactions back until `resolve` has settled. */
  async during<T>(resolve: () => Promise<T>): Promise<T> {
    this.#count++
    try {
      return await resolve()
    } finally {
      if (--this.#count === 0) for (const proceed of this.#onNone.splice(0)) proceed()
    }
  }
}
