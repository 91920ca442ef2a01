/** Batches that may leave before the timer is kept: a stream that fills as many within one wait is busy. */
const SPARED = 2

/**
 * Calls `onWaited` when a batch has been open for `maxWaitMs`. At most one timer is armed, always for the batch that is
 * open, and it keeps the process alive only while a batch is open.
 *
 * Arming and clearing a timer takes 150 ns, as long as batching ten items. So a busy stream keeps the one that it has:
 * it lets go of the process while no batch is open, and is refreshed when the next batch opens. The timer alone decides:
 * the clock is not asked, since a test that mocks `setTimeout` alone moves no clock.
 */
export class WaitTimer {
  readonly #maxWaitMs: number
  readonly #onWaited: () => void
  #timer: NodeJS.Timeout | undefined
  #isOpen = false
  /** Batches that were closed since the timer was made or last fired. */
  #closed = 0

  /** @param maxWaitMs Infinity: there is no timer */
  constructor(maxWaitMs: number, onWaited: () => void) {
    this.#maxWaitMs = maxWaitMs
    this.#onWaited = onWaited
  }

  /** A batch is open from now on. */
  open(): void {
    if (this.#maxWaitMs === Number.POSITIVE_INFINITY) return
    this.#isOpen = true
    if (this.#timer === undefined) this.#arm()
    else this.#timer.refresh().ref()
  }

  /** The batch is closed; there will be others. */
  close(): void {
    this.#isOpen = false
    if (this.#timer === undefined) return
    // some mocked timers are numbers, which cannot be kept
    if (++this.#closed > SPARED && typeof this.#timer.refresh === 'function') this.#timer.unref()
    else this.#forgetTimer()
  }

  /** The batch is closed, and there may be no other. */
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

  /** A callback of a timer that was cleared does no harm. */
  #fired(timer: NodeJS.Timeout): void {
    if (timer !== this.#timer) return
    this.#timer = undefined
    this.#closed = 0
    if (this.#isOpen) this.#onWaited()
  }
}
