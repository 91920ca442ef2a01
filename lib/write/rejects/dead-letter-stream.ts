import type { Writable } from 'node:stream'
import { allowListeners } from '../../streams/listener-limit.ts'
import type { RejectedRow } from './dead-letter.ts'

/**
 * How often a stream that is busy is looked at: one with `emitClose: false` does not say that it was
 * destroyed.
 */
const LOOK_MS = 100

/**
 * A stream of the user's that takes rejected rows, at its pace. What goes wrong with it is told by `send`;
 * its 'error' event says the same once more, and would end the process if nobody listened.
 */
export class DeadLetterStream {
  readonly #sink: Writable
  /** Ends the writes that wait: a stream that is destroyed in the middle of a write may never call back. */
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(sink: Writable) {
    this.#sink = sink
    allowListeners(sink, 1)
    sink.on('error', ignore)
    sink.on('close', this.#onClose)
  }

  /** Resolves when it has taken the row. */
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
   * From now on its errors are its owner's, but for the one that it may be about to tell. Ends the writes
   * that wait.
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
