import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A network with a delay and unlimited bandwidth: each piece is forwarded after the delay, in both
 * directions. (The tests' proxy stops at a message; this one forwards others meanwhile.)
 */
export class DelayingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async start(targetPort: number, delayMs: number): Promise<DelayingProxy> {
    const proxy = new DelayingProxy(targetPort, delayMs)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(targetPort: number, delayMs: number) {
    this.#server = createServer({ noDelay: true }, client => {
      const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          later(delayMs, () => to.destroySoon())
        })
        from.on('data', bytes => later(delayMs, () => void to.write(bytes)))
      }
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** Relies on timers of one duration, which fire in the order in which they were set. */
function later(delayMs: number, run: () => void): void {
  if (delayMs === 0) run()
  else setTimeout(run, delayMs)
}
