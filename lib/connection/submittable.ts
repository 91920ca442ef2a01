import { EventEmitter } from 'node:events'
import type { PgClientLike, PgConnectionLike } from './pg-types.ts'

/**
 * An object that pg runs as a query, by its `submit` and its handlers. The properties here are what others
 * look at: pg, and the agents of OpenTelemetry, Datadog and Sentry, which replace pg's `query`. Sentry's and
 * Elastic's wait for 'end' or 'error', which pg's own queries emit. Without these events a span of Sentry's
 * ends as soon as the statement is submitted, and without the error.
 */
export abstract class Submittable extends EventEmitter {
  /** The statement that spans are named after. Agents may append comments, so it is not what is sent. */
  text: string

  /**
   * Empty, since this is no prepared statement, but it has to be there: OpenTelemetry replaces an object
   * without a name, to append a comment to its text, by a copy of its own properties, which pg cannot run.
   */
  readonly name = ''

  /**
   * To be called once at the end, with what has failed. Agents replace it, to end their span, and pg replaces
   * it when `query_timeout` is set. It has to be a property of the object itself.
   */
  callback: (error?: Error) => void = () => {}

  /** Resolves when the server has answered everything; rejects with what has made the query fail. */
  readonly settled: Promise<void>
  #settle!: (error?: Error) => void
  #hasEnded = false

  constructor(text: string) {
    super()
    this.text = text
    this.settled = new Promise((resolve, reject) => {
      this.#settle = error => (error ? reject(error) : resolve())
    })
    this.settled.catch(() => {}) // the caller, who may come later, reports it
  }

  /** Hands the object to pg, which calls `submit` when its turn comes. */
  protected submitTo(client: PgClientLike): void {
    // pg takes any object with submit(); its types only know its own
    ;(client.query as unknown as (submittable: Submittable) => void).call(client, this)
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  abstract submit(connection: PgConnectionLike): void

  handleEmptyQuery(): void {}

  /** The server has refused a statement, or pg no longer waits. */
  handleError(error: Error): void {
    this.#end(error)
  }

  handleReadyForQuery(): void {
    this.#end()
  }

  /** Settles the query, once: the answer may still come after pg's `query_timeout`. Listeners may throw. */
  #end(error?: Error): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#settle(error)
    this.callback(error)
    if (error === undefined) this.emit('end')
    else if (this.listenerCount('error') > 0) this.emit('error', error) // which would throw without listeners
  }
}
