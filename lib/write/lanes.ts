import type { Batch } from './rows/batch.ts'
import type { NextBatch } from './write-context.ts'

/**
 * How much a lane queues before `offer` asks for a pause: enough that a lane never runs out of work, and no
 * more, because rows that wait for long leave the garbage collector's young generation. With twice as many
 * rows, batches of 10,000 on two connections are no faster, and take 15 MB more.
 */
const WAITING = Object.freeze({ batches: 2, rows: 5000 })

export interface LanesOptions<Item> {
  /** How many transactions may run at once. */
  readonly count: number
  /**
   * Each lane has a queue of its own, and the caller chooses the lane. Otherwise all lanes serve one queue.
   */
  readonly keyed: boolean
  /** How long a transaction waits for a batch that is not ready. @default 0: one turn of the event loop */
  readonly patienceMs?: number
  /** Writes `first`, and the batches that `next` has ready. Once it rejects, no further batch is started. */
  readonly write: (first: Batch<Item>, next: NextBatch<Item>) => Promise<void>
}

/**
 * Hands batches to lanes. Each lane runs one transaction at a time and takes its batches in order. With one
 * queue for all lanes, a batch goes to the first lane that is free.
 */
export class Lanes<Item> {
  readonly #queues: Queue<Item>[]
  readonly #patienceMs: number
  readonly #write: LanesOptions<Item>['write']
  readonly #running = new Set<Promise<void>>()
  #stopped = false
  #ended = false

  constructor({ count, keyed, patienceMs = 0, write }: LanesOptions<Item>) {
    this.#queues = keyed ? Array.from({ length: count }, () => new Queue<Item>(1)) : [new Queue<Item>(count)]
    this.#patienceMs = patienceMs
    this.#write = write
  }

  /**
   * Queues a batch for a lane. Returns undefined while there is room for another batch, else a promise that
   * resolves when there is.
   */
  offer(batch: Batch<Item>, lane = 0): Promise<void> | undefined {
    const queue = this.#queues[lane]!
    queue.add(batch)
    if (queue.idleLanes > 0) this.#start(queue)
    return queue.room()
  }

  /** Notes that no further batch will be offered: a lane that waits for one continues with what it has. */
  end(): void {
    this.#ended = true
    for (const queue of this.#queues) queue.changed()
  }

  /** Resolves when every batch that was offered is written; rejects when one was not. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /**
   * Starts nothing further; resolves when the running transactions have ended, successfully or not, to the
   * errors of those that have failed.
   */
  async stop(): Promise<Error[]> {
    this.#stopped = true
    for (const queue of this.#queues) queue.clear()
    const ended = await Promise.allSettled(this.#running)
    return ended.flatMap(end => (end.status === 'rejected' ? [end.reason as Error] : []))
  }

  #start(queue: Queue<Item>): void {
    queue.idleLanes--
    const run = this.#serve(queue)
    this.#running.add(run)
    run.then(
      () => this.#running.delete(run),
      () => {}, // stays in the set, so that idle() reports the failure
    )
  }

  async #serve(queue: Queue<Item>): Promise<void> {
    for (let first = queue.take(); first && !this.#stopped; first = queue.take()) {
      await this.#write(first, waits => this.#next(queue, waits))
    }
    queue.idleLanes++
  }

  /**
   * Returns a batch that is ready. If no batch is ready, gives the source one turn of the event loop to
   * deliver one, and then the patience of the lanes, or waits until it delivers one or ends.
   */
  async #next(queue: Queue<Item>, waits?: 'waits'): Promise<Batch<Item> | undefined> {
    if (queue.isEmpty) await new Promise(resolve => setImmediate(resolve))
    const deadline = performance.now() + (waits ? Number.POSITIVE_INFINITY : this.#patienceMs)
    while (queue.isEmpty && !this.#ended && !this.#stopped) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return undefined
      await queue.change(leftMs)
    }
    return this.#stopped ? undefined : queue.take()
  }
}

class Queue<Item> {
  idleLanes: number
  readonly #lanes: number
  #waiting: Batch<Item>[] = []
  #rows = 0
  #onRoom: (() => void) | undefined
  readonly #onChange: (() => void)[] = []

  constructor(lanes: number) {
    this.idleLanes = lanes
    this.#lanes = lanes
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  get #isFull(): boolean {
    return this.#waiting.length >= WAITING.batches * this.#lanes || this.#rows >= WAITING.rows * this.#lanes
  }

  add(batch: Batch<Item>): void {
    this.#waiting.push(batch)
    this.#rows += batch.count
    this.changed()
  }

  take(): Batch<Item> | undefined {
    const batch = this.#waiting.shift()
    this.#rows -= batch?.count ?? 0
    if (!this.#isFull) {
      this.#onRoom?.()
      this.#onRoom = undefined
    }
    return batch
  }

  clear(): void {
    this.#waiting = []
    this.#rows = 0
    this.changed()
  }

  /** Resolves when a batch is added, when no other one will be, or after some time. */
  change(withinMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = Number.isFinite(withinMs) ? setTimeout(resolve, withinMs) : undefined
      this.#onChange.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve()
  }

  room(): Promise<void> | undefined {
    if (!this.#isFull) return undefined
    return new Promise(resolve => {
      this.#onRoom = resolve
    })
  }
}
