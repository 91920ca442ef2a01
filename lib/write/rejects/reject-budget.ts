/** How many rows may still be rejected before a stream fails. All lanes share it. */
export class RejectBudget {
  readonly #limit: number
  /** One number: the rows that were rejected. */
  readonly #used: Int32Array

  /** @param used shared by the streams of several threads, if these have one limit */
  constructor(limit: number, used: Int32Array = new Int32Array(1)) {
    this.#limit = limit
    this.#used = used
  }

  get left(): number {
    return this.#limit - Atomics.load(this.#used, 0)
  }

  /** Takes `count` from the budget. Returns false, and takes nothing, when less is left. */
  take(count: number): boolean {
    for (;;) {
      const used = Atomics.load(this.#used, 0)
      if (count > this.#limit - used) return false
      // another thread may have taken some in between
      if (Atomics.compareExchange(this.#used, 0, used, used + count) === used) return true
    }
  }

  release(count: number): void {
    Atomics.sub(this.#used, 0, count)
  }
}
