import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const COPY_DATA = 'd'.charCodeAt(0)
const COPY_DONE = 'c'.charCodeAt(0)
const TYPE_BYTES = 1
const HEAD_BYTES = 5

/** The data of a binary COPY without rows: signature, flags, no extension, trailer. */
const NO_ROWS = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xff', 'latin1')

/**
 * A server that accepts COPY and discards its rows: everything goes to a real one except for the rows, in
 * whose place a COPY without rows ends. So nothing but the client is measured.
 */
export class DiscardingProxy {
  /** The bytes of rows that were discarded so far. */
  bytes = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async start(targetPort: number): Promise<DiscardingProxy> {
    const proxy = new DiscardingProxy(targetPort)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, client => {
      const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
      const filter = new CopyFilter()
      client.on('data', (bytes: Buffer) => {
        const before = filter.bytes
        for (const piece of filter.take(bytes)) server.write(piece)
        this.bytes += filter.bytes - before
      })
      client.on('close', () => server.destroySoon())
      server.on('data', bytes => client.write(bytes))
      server.on('close', () => client.destroySoon())
      for (const socket of [client, server]) {
        socket.on('error', () => socket.destroy())
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
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

/** Leaves the rows of binary COPYs out of what one client sends. */
class CopyFilter {
  /** The bytes that were left out. */
  bytes = 0
  /** What has come of the next message's type and length. The first message of a client has no type. */
  #head: Buffer = Buffer.alloc(0)
  #hasType = false
  /** The bytes of the message that are still to come. */
  #left = 0
  #drops = false

  /** Returns what goes to the server. */
  take(bytes: Buffer): Buffer[] {
    const passed: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        at = this.#readHead(bytes, at, passed)
        continue
      }
      const end = Math.min(bytes.length, at + this.#left)
      if (this.#drops) this.bytes += end - at
      else passed.push(bytes.subarray(at, end))
      this.#left -= end - at
      at = end
    }
    return passed
  }

  #readHead(bytes: Buffer, at: number, passed: Buffer[]): number {
    const wanted = (this.#hasType ? HEAD_BYTES : HEAD_BYTES - TYPE_BYTES) - this.#head.length
    const next = Math.min(bytes.length, at + wanted)
    this.#head = Buffer.concat([this.#head, bytes.subarray(at, next)])
    if (next - at < wanted) return next
    const head = this.#head
    this.#head = Buffer.alloc(0)
    this.#left = head.readInt32BE(head.length - 4) - 4
    this.#drops = this.#hasType && head[0] === COPY_DATA
    if (this.#hasType && head[0] === COPY_DONE) passed.push(copyData(NO_ROWS))
    if (!this.#drops) passed.push(head)
    this.#hasType = true
    return next
  }
}

function copyData(data: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = COPY_DATA
  head.writeInt32BE(data.length + 4, TYPE_BYTES)
  return Buffer.concat([head, data])
}
