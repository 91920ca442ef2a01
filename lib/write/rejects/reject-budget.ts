/** How many rows may be rejected before a stream fails; its lanes share it. */
export class RejectBudget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get left(): number {
    return this.#limit - this.#used
  }

  /** Takes `count` from the budget; false, and nothing taken, when that is more than is left. */
  take(count: number): boolean {
    if (count > this.left) return false
    this.#used += count
    return true
  }

  release(count: number): void {
    this.#used -= count
  }
}
