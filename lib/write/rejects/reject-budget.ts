/** How many rows may still be rejected before a stream fails. All lanes share it. */
export class RejectBudget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get left(): number {
    return this.#limit - this.#used
  }

  /** Takes `count` from the budget. Returns false, and takes nothing, when less is left. */
  take(count: number): boolean {
    if (count > this.left) return false
    this.#used += count
    return true
  }

  release(count: number): void {
    this.#used -= count
  }
}
