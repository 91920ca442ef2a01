import type { Batch } from './batch.ts'
import type { NextBatch } from './write-batches.ts'

/** Batches that wait behind those of a lane's transaction, before `offer` asks for a pause. */
const WAITING_BATCHES = 2

export interface LanesOptions<Item> {
  /** How many transactions may be under way at once. */
  readonly count: number
  /** Each lane has a queue of its own, chosen by the caller; else all lanes serve one queue. */
  readonly keyed: boolean
  /** Writes `first` and whatever `next` has ready. Once it rejects, nothing further is started. */
  readonly write: (first: Batch<Item>, next: NextBatch<Item>) => Promise<void>
}

/**
 * Hands batches to lanes: each lane has one transaction under way at a time and takes batches in order. With one
 * queue for all, a batch goes to whichever lane is free first.
 */
export class Lanes<Item> {
  readonly #queues: Queue<Item>[]
  readonly #write: LanesOptions<Item>['write']
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor({ count, keyed, write }: LanesOptions<Item>) {
    this.#queues = keyed ? Array.from({ length: count }, () => new Queue<Item>(1)) : [new Queue<Item>(count)]
    this.#write = write
  }

  /** Queues a batch for a lane; resolves when there is room for a next one, at once while there is. */
  offer(batch: Batch<Item>, lane = 0): Promise<void> | undefined {
    const queue = this.#queues[lane]!
    queue.waiting.push(batch)
    if (queue.idleLanes > 0) this.#start(queue)
    return queue.room()
  }

  /** Resolves when every batch that was offered has been written. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Starts nothing further; resolves when what was under way has come to its end, whichever it was. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const queue of this.#queues) queue.waiting.length = 0
    await Promise.allSettled(this.#running)
  }

  #start(queue: Queue<Item>): void {
    queue.idleLanes--
    const run = this.#serve(queue)
    this.#running.add(run)
    run.then(
      () => this.#running.delete(run),
      () => {}, // stays: whoever waits for idle() has to hear of it
    )
  }

  async #serve(queue: Queue<Item>): Promise<void> {
    for (let first = queue.take(); first && !this.#stopped; first = queue.take()) {
      await this.#write(first, () => this.#next(queue))
    }
    queue.idleLanes++
  }

  /** A batch that is ready: one turn of the event loop is left to the source, which may be about to deliver it. */
  async #next(queue: Queue<Item>): Promise<Batch<Item> | undefined> {
    if (queue.waiting.length === 0) await new Promise(resolve => setImmediate(resolve))
    return this.#stopped ? undefined : queue.take()
  }
}

class Queue<Item> {
  readonly waiting: Batch<Item>[] = []
  idleLanes: number
  readonly #limit: number
  #onRoom: (() => void) | undefined

  constructor(lanes: number) {
    this.idleLanes = lanes
    this.#limit = WAITING_BATCHES * lanes
  }

  take(): Batch<Item> | undefined {
    const batch = this.waiting.shift()
    if (this.waiting.length < this.#limit) {
      this.#onRoom?.()
      this.#onRoom = undefined
    }
    return batch
  }

  room(): Promise<void> | undefined {
    if (this.waiting.length < this.#limit) return undefined
    return new Promise(resolve => {
      this.#onRoom = resolve
    })
  }
}
