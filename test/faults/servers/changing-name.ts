import { type LookupFunction, Socket } from 'node:net'

/** The host of a load that connects by a name; no name service has it. */
export const HOST = 'db.fault.test'

/** A host name that resolves to the loopback address, or for a while to nothing. */
export class ChangingName {
  /** What a look-up fails with; undefined while the name resolves. */
  failure: 'ENOTFOUND' | 'EAI_AGAIN' | undefined
  /** Look-ups that have failed. */
  failures = 0

  /** pg's option `stream`: sockets that look the name up here. */
  readonly stream = (): Socket => {
    const socket = new Socket()
    const connect = socket.connect.bind(socket)
    const connectByName = (port: number, host: string): Socket =>
      connect({ port, host, lookup: this.#lookup })
    socket.connect = connectByName as typeof socket.connect
    return socket
  }

  readonly #lookup: LookupFunction = (host, { all }, callback) => {
    const code = this.failure
    if (code) {
      this.failures++
      callback(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }), '')
    } else if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  }
}
