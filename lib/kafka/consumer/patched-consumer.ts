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

/** The place of the topics among the arguments of a Fetch, of all versions. */
const TOPICS = 7

/**
 * The client's consumer without faults that cost a sink its life, its correctness or its pace, by the hooks that the
 * client exports.
 */
export class PatchedConsumer extends Consumer {
  readonly #turns = new FetchTurns()

  /**
   * A broker that died, the group's coordinator say, is in no metadata any more. Client 1.35 reads its host all the
   * same, in a timer of its own: an exception that nobody can catch. Version 2 asks for a coordinator anew.
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

  /** Partitions by turns, and nothing of aborted transactions: up to 2.12 at least the client delivers some of it. */
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
