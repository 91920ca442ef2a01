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

  /** Resolves when the stream has taken the row. */
  async send(reject: RejectedRow): Promise<void> {
    let fail!: (error: Error) => void
    const look = setInterval(() => this.#sink.destroyed && this.#onClose(), LOOK_MS)
    try {
      await new Promise<void>((resolve, reject_) => {
        fail = reject_
        this.#waiting.add(fail)
        this.#sink.write(reject, error => (error ? fail(error) : resolve()))
      })
    } finally {
      clearInterval(look)
      this.#waiting.delete(fail)
    }
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
