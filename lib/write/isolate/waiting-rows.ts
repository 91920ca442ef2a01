import type { Batch } from '../rows/batch.ts'
import { heldBytes } from '../rows/held-bytes.ts'

/** How much waits at most, so that memory is bounded. */
const MAX_WAITING = Object.freeze({ rows: 1_000_000, bytes: 64 * 1024 * 1024 })

/**
 * Counts rows that wait because they may refer to later ones, and decides when they are tried together. Their
 * bytes are those that are held, and not those of the last attempt: it may have ended at its first row.
 */
export class WaitingRows {
  #rows = 0
  #bytes = 0
  /** How many rows the next attempt takes. */
  #target = 0

  add(batch: Batch<unknown>): void {
    this.#rows += batch.count
    this.#bytes += heldBytes(batch)
  }

  get areDue(): boolean {
    return this.#rows >= this.#target || this.#bytes >= MAX_WAITING.bytes
  }

  /**
   * Lets the next attempt take twice as many rows as the last one, so that the cost stays linear.
   * @returns false at the bounds: no later rows are waited for
   */
  waitForMore(): boolean {
    if (this.#rows >= MAX_WAITING.rows || this.#bytes >= MAX_WAITING.bytes) return false
    this.#target = Math.min(2 * this.#rows, MAX_WAITING.rows)
    return true
  }
}
