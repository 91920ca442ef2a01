/**
 * The factor by which a failure shrinks a transaction: a few failures lead from hundreds of batches to one.
 */
const SHRINK = 8

/** At this limit only the bounds of a transaction count. */
const UNLIMITED_FROM = 1024

/**
 * How many batches a transaction takes at most. Where connections break again and again, a large transaction
 * never gets to its COMMIT, and a smaller one does. A transient failure shrinks the limit, down to one batch;
 * each committed transaction that fills the limit doubles it.
 */
export class TransactionSize {
  #limit = Number.POSITIVE_INFINITY
  readonly #shrinks: boolean

  /** @param options.shrinks false for batches that have to be in one transaction */
  constructor({ shrinks = true } = {}) {
    this.#shrinks = shrinks
  }

  get limit(): number {
    return this.#limit
  }

  /** @param batches how many the transaction had taken */
  failed(batches: number): void {
    if (!this.#shrinks) return
    this.#limit = Math.max(1, Math.floor(Math.min(batches, this.#limit) / SHRINK))
  }

  committed(batches: number): void {
    if (batches < this.#limit) return
    this.#limit *= 2
    if (this.#limit >= UNLIMITED_FROM) this.#limit = Number.POSITIVE_INFINITY
  }
}
