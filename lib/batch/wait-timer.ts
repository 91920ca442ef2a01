/** Batches that close before the timer is kept. A stream that fills more of them within one wait is busy. */
const SPARED = 2

/**
 * Calls `onWaited` when a batch has been open for `maxWaitMs`. At most one timer is armed, for the batch that
 * is open, and it keeps the process alive only while a batch is open.
 *
 * Arming and clearing a timer takes 150 ns, as long as batching ten items. So a busy stream keeps its timer:
 * it unrefs the timer while no batch is open, and refreshes it when the next batch opens. Only the timer
 * decides, and never the clock, because a test that mocks nothing but `setTimeout` does not move the clock.
 */
export class WaitTimer {
  readonly #maxWaitMs: number
  readonly #onWaited: () => void
  #timer: NodeJS.Timeout | undefined
  #isOpen = false
  /** Batches that were closed since the timer was armed or last fired. */
  #closed = 0

  /** @param maxWaitMs with Infinity there is no timer */
  constructor(maxWaitMs: number, onWaited: () => void) {
    this.#maxWaitMs = maxWaitMs
    this.#onWaited = onWaited
  }

  /** Notes that a batch is open from now on. */
  open(): void {
    if (this.#maxWaitMs === Number.POSITIVE_INFINITY) return
    this.#isOpen = true
    if (this.#timer === undefined) this.#arm()
    else this.#timer.refresh().ref()
  }

  /** Notes that the batch is closed, and that others will follow. */
  close(): void {
    this.#isOpen = false
    if (this.#timer === undefined) return
    // some mocked timers are numbers, which cannot be refreshed
    if (++this.#closed > SPARED && typeof this.#timer.refresh === 'function') this.#timer.unref()
    else this.#forgetTimer()
  }

  /** Notes that the batch is closed, and that none may follow. */
  clear(): void {
    this.#isOpen = false
    this.#forgetTimer()
  }

  #forgetTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    const timer = setTimeout(() => this.#fired(timer), this.#maxWaitMs)
    this.#timer = timer
  }

  /** Ignores a timer that was cleared: mocked timers may still fire. */
  #fired(timer: NodeJS.Timeout): void {
    if (timer !== this.#timer) return
    this.#timer = undefined
    this.#closed = 0
    if (this.#isOpen) this.#onWaited()
  }
}
