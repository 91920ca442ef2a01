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

/** The client's consumer without faults that cost a sink its life or its correctness, by the hooks that it exports. */
export class PatchedConsumer extends Consumer {
  /**
   * A broker that died, the group's coordinator say, is in no metadata any more. Client 1.35 reads its host all the
   * same, in a timer of its own: an exception that nobody can catch. Version 2 asks for a coordinator anew.
   */
  override [kGetConnection](broker: Broker | undefined, callback: Callback<Connection>): void {
    if (broker) super[kGetConnection](broker, callback)
    else callback(new NetworkError('The broker is not in the metadata'))
  }

  /** Up to 2.12 at least the client delivers messages of aborted transactions, see `dropAborted`. */
  override [kGetApi]<Request extends unknown[], Response>(
    name: string,
    callback: Callback<API<Request, Response>>,
  ): void {
    super[kGetApi]<Request, Response>(name, (error, api) => {
      callback(error, api && name === 'Fetch' ? withoutAborted(api) : api)
    })
  }
}

function withoutAborted<Request extends unknown[], Response>(
  api: API<Request, Response>,
): API<Request, Response> {
  const send = api as unknown as (...args: unknown[]) => void
  const fetch = (...args: unknown[]): void => {
    const callback = args.pop() as Callback<FetchedBatches>
    const answered: Callback<FetchedBatches> = (error, answer) => {
      if (answer) dropAborted(answer)
      callback(error, answer)
    }
    send(...args, answered)
  }
  return Object.assign(fetch, { async: api.async, key: api.key, version: api.version })
}
