import { mayRetry, type RetryPolicy, retryDelayMs } from '../write/faults/retry.ts'
import { isKafkaError } from './outage.ts'

/**
 * Decides how long to wait after failures in a row. Failures of Kafka are retried without end, failures of
 * PostgreSQL as often as its retries allow. Each has its own count, so that an outage of Kafka leaves
 * PostgreSQL all of its retries.
 */
export class Backoff {
  readonly #retry: RetryPolicy
  readonly #kafka = { failures: 0, since: 0 }
  readonly #postgres = { failures: 0, since: 0 }
  #assignedAt = Number.POSITIVE_INFINITY

  constructor(retry: RetryPolicy) {
    this.#retry = retry
  }

  /** Notes that a message has come, which ends all outages. */
  reset(): void {
    this.#kafka.failures = 0
    this.#postgres.failures = 0
  }

  /**
   * Notes that partitions were assigned, and PostgreSQL has answered. Kafka's failures are forgotten only
   * after an assignment that has lasted: a partition without a leader is assigned too, and fails at once,
   * each time with a rebalance of the whole group.
   */
  assigned(): void {
    this.#postgres.failures = 0
    this.#assignedAt = performance.now()
  }

  /**
   * Returns the pause after a failure, and the number of failures in a row.
   * @throws the failure itself, if there are no retries left
   */
  after(error: Error): { attempt: number; delayMs: number } {
    const now = performance.now()
    if (now - this.#assignedAt >= this.#retry.maxDelayMs) this.#kafka.failures = 0
    this.#assignedAt = Number.POSITIVE_INFINITY
    const ofKafka = isKafkaError(error)
    const count = ofKafka ? this.#kafka : this.#postgres
    if (count.failures++ === 0) count.since = now
    if (!ofKafka && !mayRetry(this.#retry, error, count.failures, now - count.since)) throw error
    return { attempt: count.failures, delayMs: retryDelayMs(this.#retry, count.failures, Math.random()) }
  }
}
