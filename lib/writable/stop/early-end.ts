import { PgBatchError } from '../../errors.ts'
import type { Stopping } from './stopping.ts'

export interface EarlyEndOptions {
  readonly stopping: Stopping
  /** Resolves when all lanes have stopped, to the errors of those that have failed. */
  readonly stopLanes: () => Promise<readonly Error[]>
  readonly destroy: (error: Error) => void
}

/**
 * Ends a stream before its input ends. The stream is destroyed only when all lanes have stopped: a lane may
 * still report what it has committed.
 */
export class EarlyEnd {
  readonly #options: EarlyEndOptions
  /** Why the stream was asked to end. */
  #asked: Error | undefined
  /** Resolves when all lanes have stopped, to the error of the stream. */
  #error: Promise<Error> | undefined

  constructor(options: EarlyEndOptions) {
    this.#options = options
  }

  /** Ends the stream on request. If a lane fails for another reason, the stream fails with that. */
  ask(reason: Error): void {
    this.#asked = reason
    this.#options.stopping.beginGracefully(reason)
    this.#end(failures => failures.find(error => !isAbort(error)) ?? reason)
  }

  /** Ends the stream after the failure of a lane. */
  fail(error: Error): void {
    if (this.#error) return
    this.#options.stopping.beginAfterFailure(error)
    this.#end(() => error)
  }

  /**
   * Returns the error of the stream when all lanes have stopped; undefined if it does not end early, or was
   * asked to and has written all rows.
   */
  async error(rowsPending: number): Promise<Error | undefined> {
    const error = await this.#error
    return error === this.#asked && rowsPending === 0 ? undefined : error
  }

  #end(errorOf: (failures: readonly Error[]) => Error): void {
    this.#error ??= this.#options.stopLanes().then(errorOf)
    void this.#error.then(this.#options.destroy)
  }
}

/** Returns true for the failure of a transaction that was stopped. */
function isAbort(error: Error): boolean {
  return error instanceof PgBatchError && error.code === 'ABORTED'
}
