/** By how much a transaction is cut down after a failure: a few failures lead from hundreds of batches to one. */
const SHRINK = 8

/** From here on the bounds of a transaction decide alone. */
const UNLIMITED_FROM = 1024

/**
 * How many batches a transaction takes at most. Where connections break again and again, a large transaction never comes
 * to its end, and a smaller one does: after a transient failure the limit shrinks, down to one batch, and it doubles with
 * each transaction that fills it and is committed.
 */
export class TransactionSize {
  #limit = Number.POSITIVE_INFINITY

  get limit(): number {
    return this.#limit
  }

  /** @param batches how many the transaction had taken */
  failed(batches: number): void {
    this.#limit = Math.max(1, Math.floor(Math.min(batches, this.#limit) / SHRINK))
  }

  committed(batches: number): void {
    if (batches < this.#limit) return
    this.#limit *= 2
    if (this.#limit >= UNLIMITED_FROM) this.#limit = Number.POSITIVE_INFINITY
  }
}
