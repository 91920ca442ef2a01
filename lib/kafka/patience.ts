import { mayRetry, type RetryPolicy, retryDelayMs } from '../write/retry.ts'
import { isKafkaError } from './outage.ts'

/** How failures in a row are met: with Kafka as long as it takes, with PostgreSQL as long as its own retries. */
export class Patience {
  readonly #retry: RetryPolicy
  #failures = 0
  #since = 0

  constructor(retry: RetryPolicy) {
    this.#retry = retry
  }

  /** It goes well again. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * The pause after a failure, and how many there were in a row.
   * @throws the failure itself, when there is no patience left
   */
  after(error: Error): { attempt: number; delayMs: number } {
    if (this.#failures++ === 0) this.#since = performance.now()
    const elapsedMs = performance.now() - this.#since
    if (!isKafkaError(error) && !mayRetry(this.#retry, error, this.#failures, elapsedMs)) throw error
    return { attempt: this.#failures, delayMs: retryDelayMs(this.#retry, this.#failures, Math.random()) }
  }
}
