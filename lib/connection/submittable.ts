import { EventEmitter } from 'node:events'

/**
 * An object that pg runs as a query, by its `submit` and its handlers. The properties here are what others
 * look at: pg, and the agents of OpenTelemetry, Datadog and Sentry, which replace pg's `query`. Sentry's and
 * Elastic's wait for the event 'end' or 'error', as pg's own queries have it: a span of Sentry's would end
 * as soon as the statement is submitted, without the error.
 */
export abstract class Submittable extends EventEmitter {
  /** The statement that spans are named after. Agents may append comments, so it is not what is sent. */
  text: string

  /**
   * Not the name of a prepared statement, and yet there: to append a comment to its text OpenTelemetry would
   * replace an object without a name by a copy of its own properties, which pg cannot run.
   */
  readonly name = ''

  /**
   * To be called once at the end, with what has failed. Agents replace it, to end their span, and pg replaces
   * it when `query_timeout` is set. It has to be a property of the object itself.
   */
  callback: (error?: Error) => void = () => {}

  constructor(text: string) {
    super()
    this.text = text
  }

  /** Tells the others that the server has answered. Call it once. */
  protected reportEnd(error?: Error): void {
    this.callback(error)
    if (error === undefined) this.emit('end')
    else if (this.listenerCount('error') > 0) this.emit('error', error) // which would throw without listeners
  }
}
