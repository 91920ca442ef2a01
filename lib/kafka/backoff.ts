import { mayRetry, type RetryPolicy, retryDelayMs } from '../write/faults/retry.ts'
import { isKafkaError } from './outage.ts'

/**
 * How failures in a row are met: with Kafka as long as it takes, with PostgreSQL as long as its own retries. Each has a
 * count of its own, so that an outage of Kafka leaves PostgreSQL all of its retries.
 */
export class Backoff {
  readonly #retry: RetryPolicy
  readonly #kafka = { failures: 0, since: 0 }
  readonly #postgres = { failures: 0, since: 0 }
  #assignedAt = Number.POSITIVE_INFINITY

  constructor(retry: RetryPolicy) {
    this.#retry = retry
  }

  /** A message has come: all goes well again. */
  reset(): void {
    this.#kafka.failures = 0
    this.#postgres.failures = 0
  }

  /**
   * Partitions were assigned, PostgreSQL has answered. Kafka's failures are forgotten when that has lasted: a partition
   * without a leader is assigned, too, and fails at once, each time with a rebalance of the whole group.
   */
  assigned(): void {
    this.#postgres.failures = 0
    this.#assignedAt = performance.now()
  }

  /**
   * The pause after a failure, and how many there were in a row.
   * @throws the failure itself, when there is no patience left
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
