import type { Writable } from 'node:stream'
import type { RejectedRow } from './dead-letter.ts'

/**
 * A stream of the user's that takes rejected rows, at its pace. What goes wrong with it is told by `send`; its 'error'
 * event says the same once more, and would end the process if nobody listened.
 */
export class DeadLetterStream {
  readonly #sink: Writable

  constructor(sink: Writable) {
    this.#sink = sink
    sink.on('error', ignore)
  }

  /** Resolves when it has taken the row. */
  async send(reject: RejectedRow): Promise<void> {
    let onClose!: () => void
    try {
      await new Promise<void>((resolve, fail) => {
        // one that is destroyed in the middle of a write may never call back
        onClose = () => fail(new Error('The stream was closed before it had taken a rejected row'))
        this.#sink.once('close', onClose)
        this.#sink.write(reject, error => (error ? fail(error) : resolve()))
      })
    } finally {
      this.#sink.off('close', onClose)
    }
  }

  /** From now on its errors are its owner's, but for the one that it may be about to tell. */
  release(): void {
    if (!this.#sink.errored) this.#sink.off('error', ignore)
  }
}

function ignore(): void {}
