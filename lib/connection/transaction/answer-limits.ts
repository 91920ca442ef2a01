import type { Lease } from '../pool/lease.ts'

/**
 * How long the server has to cancel a statement, which keeps the connection, before the connection is ended.
 */
const CANCEL_GRACE_MS = 1000

/** How long a transaction waits for the server's answers. An answer that is late ends the connection. */
export class AnswerLimits {
  /** How much longer a statement may take than usual: the last ones of a whole load. */
  patienceMs = 0
  readonly #lease: Lease
  readonly #statementTimeoutMs: number

  constructor(lease: Lease, statementTimeoutMs: number) {
    this.#lease = lease
    this.#statementTimeoutMs = statementTimeoutMs
  }

  /** Waits for the answer to a statement. */
  readonly statement = <T>(answer: Promise<T>): Promise<T> =>
    this.#lease.within(this.#statementTimeoutMs + CANCEL_GRACE_MS + this.patienceMs, answer)

  /** Waits for the answer to a COPY, no longer than for that to a statement and than pg's `query_timeout`. */
  copy<T>(answer: Promise<T>): Promise<T> {
    const timeoutMs = this.#lease.client.connectionParameters?.query_timeout
    return typeof timeoutMs === 'number' && timeoutMs > 0
      ? this.#lease.within(timeoutMs, this.statement(answer))
      : this.statement(answer)
  }
}
