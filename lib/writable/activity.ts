import type { StreamState } from '../types.ts'

/** What a stream is doing, as `stats.state` shows it. */
export class Activity {
  /** Lanes, and the introspection, whose last attempt has failed and that will try again. */
  readonly #retrying = new Set<object>()

  /** Notes that an attempt has failed and will be made again. */
  failedOnce(worker: object): void {
    this.#retrying.add(worker)
  }

  /** Notes that an attempt has succeeded, or that there will be no other one. */
  settled(worker: object): void {
    this.#retrying.delete(worker)
  }

  stateOf({ writableFinished, destroyed }: EndOfStream, rowsPending: number): StreamState {
    if (writableFinished) return 'ended'
    if (destroyed) return 'failed'
    if (this.#retrying.size > 0) return 'retrying'
    return rowsPending > 0 ? 'writing' : 'idle'
  }
}

/** How far a stream is over, as Node's Writable says it. */
export interface EndOfStream {
  readonly writableFinished: boolean
  readonly destroyed: boolean
}
