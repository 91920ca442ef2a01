import {
  type Broker,
  type Callback,
  type Connection,
  Consumer,
  kGetConnection,
  NetworkError,
} from '@platformatic/kafka'

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
}
