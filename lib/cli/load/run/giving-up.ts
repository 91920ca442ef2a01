/** How long rows that were read are still written after a signal. Most loads need less than a second. */
const WRITING_MS = 2000

/**
 * Ends a load some time after a signal: rows may take long to write, as where nearly all of them are bad.
 * What is not committed is rolled back then. The rejected rows of what is committed still go to their file.
 */
export class GivingUp {
  /** The error with which the sink ends. */
  readonly reason = new Error('The load was interrupted')
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined

  /** Aborts when the sink is to end soon. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  begin(note: (line: string) => void): void {
    this.#timer ??= setTimeout(() => {
      note('The rows that are being written take long: rolling them back')
      this.now(this.reason)
    }, WRITING_MS)
  }

  /** Ends the sink for another reason. */
  now(reason: Error): void {
    this.#controller.abort(reason)
  }

  /** Notes that the load has ended. */
  done(): void {
    clearTimeout(this.#timer)
  }
}
