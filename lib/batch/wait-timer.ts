/** Batches that may leave before the timer is kept: a stream that fills as many within one wait is busy. */
const SPARED = 2

/** Node's timers count whole milliseconds, and fire that much early. */
const TIMER_MS = 1

/**
 * Calls `onWaited` when a batch has been open for `maxWaitMs`; of several batches in a row, for none that is closed.
 * At most one timer is armed, and it keeps the process alive only while a batch is open.
 *
 * To arm and clear a timer takes 150 ns, as long as batching ten items. So a busy stream keeps the one that it has:
 * when a batch is closed the timer only lets go of the process, and when it fires it is armed anew for what is left
 * of the current batch's time. It is gone when it fires while no batch is open.
 */
export class WaitTimer {
  readonly #maxWaitMs: number
  readonly #onWaited: () => void
  #timer: NodeJS.Timeout | undefined
  /** When the open batch was opened; undefined while none is open. */
  #openedAt: number | undefined
  /** Batches that were closed since the timer last fired. */
  #closed = 0

  /** @param maxWaitMs Infinity: there is no timer */
  constructor(maxWaitMs: number, onWaited: () => void) {
    this.#maxWaitMs = maxWaitMs
    this.#onWaited = onWaited
  }

  /** A batch is open from now on. */
  open(now: number): void {
    if (this.#maxWaitMs === Number.POSITIVE_INFINITY) return
    this.#openedAt = now
    if (this.#timer === undefined) this.#arm(this.#maxWaitMs)
    else this.#timer.ref()
  }

  /** The batch is open no more; there will be others. */
  close(): void {
    this.#openedAt = undefined
    if (this.#timer === undefined) return
    if (++this.#closed > SPARED) this.#timer.unref()
    else this.clear()
  }

  /** The batch is open no more, and there may be none again. */
  clear(): void {
    this.#openedAt = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#fired(), ms)
  }

  /** It only believes the clock, so a callback that comes late does no harm. */
  #fired(): void {
    this.#timer = undefined
    this.#closed = 0
    if (this.#openedAt === undefined) return
    const left = this.#openedAt + this.#maxWaitMs - performance.now()
    if (left < TIMER_MS) this.#onWaited()
    else this.#arm(left)
  }
}
