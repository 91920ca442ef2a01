import type { AsyncResource } from 'node:async_hooks'
import { WaitTimer } from '../batch/wait-timer.ts'

export interface RowQueueOptions<Entry> {
  readonly maxCount: number
  readonly maxWaitMs: number
  /** How many batches may be in flight at once. */
  readonly workers: number
  /** Timers and the functions below run in its context, and not in that of the caller of `add`. */
  readonly scope: AsyncResource
  /** The first entry of a batch has come, which leaves in `maxWaitMs` at the latest. */
  readonly onOpen: () => void
  /** Writes a batch, and never rejects. */
  readonly write: (entries: readonly Entry[]) => Promise<void>
}

/**
 * Holds entries until a batch of them is due and a worker is free. A batch is due when `maxCount` entries
 * wait, when the first of them has waited for `maxWaitMs`, or by `flush`. Where no worker is free, the batch
 * keeps filling.
 *
 *     empty ──add──▶ waiting ──count, timer, flush──▶ due ──a worker is free──▶ in flight, and empty or due
 */
export class RowQueue<Entry> {
  readonly #options: RowQueueOptions<Entry>
  /** Entries that wait, in the order of `add`. A set lets go of one that is taken out, whatever its place. */
  readonly #waiting = new Set<Entry>()
  readonly #timer: WaitTimer
  readonly #running = new Set<Promise<void>>()
  #isDue = false

  constructor(options: RowQueueOptions<Entry>) {
    this.#options = options
    this.#timer = new WaitTimer(options.maxWaitMs, () => this.flush())
  }

  add(entry: Entry): void {
    this.#waiting.add(entry)
    if (this.#waiting.size === 1) this.#options.scope.runInAsyncScope(this.#open, this)
    this.#start()
  }

  /** Takes out an entry that waits. */
  remove(entry: Entry): void {
    this.#waiting.delete(entry)
    if (this.#waiting.size === 0) this.#empty()
  }

  /** Makes what waits due. */
  flush(): void {
    this.#isDue = this.#waiting.size > 0
    this.#start()
  }

  /** Takes everything out that waits, and starts nothing further of it. */
  takeAll(): Entry[] {
    const entries = [...this.#waiting]
    this.#waiting.clear()
    this.#isDue = false
    this.#timer.clear()
    return entries
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #open(): void {
    this.#timer.open()
    this.#options.onOpen()
  }

  #start(): void {
    const { maxCount, workers } = this.#options
    while ((this.#isDue || this.#waiting.size >= maxCount) && this.#running.size < workers) this.#send()
  }

  #send(): void {
    const { maxCount, scope, write } = this.#options
    const entries: Entry[] = []
    for (const entry of this.#waiting) {
      this.#waiting.delete(entry)
      if (entries.push(entry) === maxCount) break
    }
    if (this.#waiting.size === 0) this.#empty()
    // what a full batch has left has waited as long as it
    else this.#isDue = true
    const run = scope
      .runInAsyncScope(() => write(entries))
      .finally(() => {
        this.#running.delete(run)
        this.#start()
      })
    this.#running.add(run)
  }

  #empty(): void {
    this.#isDue = false
    this.#timer.close()
  }
}
