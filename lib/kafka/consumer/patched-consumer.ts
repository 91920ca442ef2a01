import {
  type API,
  type Broker,
  type Callback,
  type Connection,
  Consumer,
  kGetApi,
  kGetConnection,
  NetworkError,
} from '@platformatic/kafka'
import { dropAborted, type FetchedBatches } from './aborted-transactions.ts'
import { type AnsweredTopics, FetchTurns, type RequestedTopic } from './fair-fetches.ts'

type FetchAnswer = FetchedBatches & AnsweredTopics

/** The index of the topics among the arguments of a Fetch, in all versions. */
const TOPICS = 7

/**
 * The client's consumer, with fixes for faults that would end a sink, or make it incorrect or slow. It uses
 * hooks that the client exports.
 */
export class PatchedConsumer extends Consumer {
  readonly #turns = new FetchTurns()

  /**
   * Fails if the broker is not in the metadata, as after the death of the group's coordinator. Client 1.35
   * reads its host anyway, in a timer of its own, with an exception that cannot be caught. Version 2 looks
   * for a coordinator again.
   */
  override [kGetConnection](broker: Broker | undefined, callback: Callback<Connection>): void {
    if (broker) super[kGetConnection](broker, callback)
    else callback(new NetworkError('The broker is not in the metadata'))
  }

  override [kGetApi]<Request extends unknown[], Response>(
    name: string,
    callback: Callback<API<Request, Response>>,
  ): void {
    super[kGetApi]<Request, Response>(name, (error, api) => {
      callback(error, api && name === 'Fetch' ? this.#fairFetch(api) : api)
    })
  }

  /**
   * Lets partitions take turns, and drops aborted transactions, some of which the client (2.12 at least)
   * delivers.
   */
  #fairFetch<Request extends unknown[], Response>(api: API<Request, Response>): API<Request, Response> {
    const send = api as unknown as (...args: unknown[]) => void
    const fetch = (...args: unknown[]): void => {
      const callback = args.pop() as Callback<FetchAnswer>
      args[TOPICS] = this.#turns.order(args[TOPICS] as RequestedTopic[])
      send(...args, (error: Error | null, answer?: FetchAnswer) => {
        if (answer) {
          this.#turns.served(answer)
          dropAborted(answer)
        }
        callback(error, answer)
      })
    }
    return Object.assign(fetch, { async: api.async, key: api.key, version: api.version })
  }
}
