import type { Writable } from 'node:stream'
import { allowListeners } from '../../streams/listener-limit.ts'
import type { RejectedRow } from './dead-letter.ts'

/** How often a busy stream is checked: one with `emitClose: false` does not report that it was destroyed. */
const LOOK_MS = 100

/**
 * The caller's stream that takes rejected rows, at its own pace. `send` reports what fails; the stream's
 * 'error' event repeats that, and would end the process if it had no listener.
 */
export class DeadLetterStream {
  readonly #sink: Writable
  /** Rejects the writes that wait: a stream that is destroyed during a write may never call back. */
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(sink: Writable) {
    this.#sink = sink
    allowListeners(sink, 1)
    sink.on('error', ignore)
    sink.on('close', this.#onClose)
  }

  /** How many rows it takes before it wants a pause. */
  get room(): number {
    return Math.max(1, this.#sink.writableHighWaterMark || 1)
  }

  /**
   * Hands rows over. Returns a promise for each, which resolves when the stream has taken it. A stream with
   * `writev` may take them together.
   */
  send(rejects: readonly RejectedRow[]): Promise<void>[] {
    const look = setInterval(() => this.#sink.destroyed && this.#onClose(), LOOK_MS)
    const fails: ((error: Error) => void)[] = []
    const taken = rejects.map(
      reject =>
        new Promise<void>((resolve, fail) => {
          fails.push(fail)
          this.#waiting.add(fail)
          this.#sink.cork()
          this.#sink.write(reject, error => (error ? fail(error) : resolve()))
        }),
    )
    try {
      for (const _ of rejects) this.#sink.uncork()
    } catch (error) {
      for (const fail of fails) fail(error as Error)
    }
    // what fails is reported by the promises that are returned
    void Promise.allSettled(taken).then(() => {
      clearInterval(look)
      for (const fail of fails) this.#waiting.delete(fail)
    })
    return taken
  }

  readonly #onClose = (): void => {
    const { errored } = this.#sink
    for (const fail of this.#waiting) {
      fail(errored ?? new Error('The stream was closed before it had taken a rejected row'))
    }
  }

  /**
   * Gives the stream back: from now on its owner handles its errors, except one that is already on its way.
   * Rejects the writes that wait.
   */
  release(): void {
    this.#onClose()
    this.#sink.off('close', this.#onClose)
    if (this.#sink.errored) return
    this.#sink.off('error', ignore)
    allowListeners(this.#sink, -1)
  }
}

function ignore(): void {}
