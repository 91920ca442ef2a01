import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Direction, type WireMessage, WireParser } from './wire.ts'

/**
 * What is done to a connection:
 *
 *     cut         both sockets are closed (FIN)
 *     reset       both sockets are reset (RST)
 *     stall       bytes of both directions vanish, nothing is closed: a half-open connection, until `heal()`
 *     half-close  the client's side is ended towards the server, which may still answer
 *     delay       the message and all behind it wait for `ms`
 *     call        `run` is awaited, and then the message is forwarded
 */
export type Action =
  | { readonly do: 'cut' | 'reset' | 'stall' | 'half-close' }
  | { readonly do: 'delay'; readonly ms: number }
  | { readonly do: 'call'; readonly run: () => Promise<void> }

/** Where and what: fires once, at the first message on any connection that matches. */
export interface Trap {
  readonly direction: Direction
  /** True for the message that is aimed at; left out: any message. */
  readonly at?: (message: WireMessage) => boolean
  /** This many matching messages pass first. @default 0 */
  readonly skip?: number
  /** Counts the direction's bytes over all connections from now on, instead of messages. */
  readonly afterBytes?: number
  /** How much of the message still passes: none of it, a part from 0 to 1, all of it. @default 0 */
  readonly pass?: number
  readonly action: Action
}

/** What is done at a message, and how many of its bytes pass first. */
interface Verdict {
  readonly action: Action
  readonly pass: number
}

type Look = (message: WireMessage) => Verdict | undefined

interface Armed {
  readonly trap: Trap
  skip: number
  bytesLeft: number
  readonly fired: () => void
}

/**
 * Is between a client and PostgreSQL, and breaks connections on request. It forwards whole
 * messages, so that a trap can be aimed at one, and cuts inside a message where the trap says so.
 */
export class FaultProxy {
  #target: number
  readonly #server: Server
  #port = 0
  readonly #links = new Set<Link>()
  #armed: Armed[] = []
  #bytesOfNext: (() => number) | undefined
  /** Connections that were opened through the proxy so far. */
  opened = 0
  /** Connections that `cutEach` has cut. */
  cuts = 0

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(targetPort: number) {
    this.#target = targetPort
    this.#server = createServer(client => {
      this.opened++
      const link = new Link(client, this.#target, this.#lookOfNext())
      this.#links.add(link)
      link.closed.then(() => this.#links.delete(link))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** New connections lead to the server on this port; those that are open stay where they are. */
  leadTo(targetPort: number): void {
    this.#target = targetPort
  }

  /** Refuses new connections, as a server does that is down; those that are open stay. */
  refuse(): void {
    this.#port = this.port
    this.#server.close()
  }

  /** Takes new connections again. */
  async accept(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(this.#port, '127.0.0.1', resolve))
  }

  /** Cuts every connection that is open. */
  cutAll(): void {
    for (const link of this.#links) link.cut()
  }

  /** Sets a trap; resolves when it has fired. `disarm` takes back those that have not. */
  arm(trap: Trap): Promise<void> {
    return new Promise(resolve => {
      const { skip = 0, afterBytes = 0 } = trap
      this.#armed.push({ trap, skip, bytesLeft: afterBytes, fired: resolve })
    })
  }

  disarm(): void {
    this.#armed = []
    this.#bytesOfNext = undefined
  }

  /**
   * Cuts each connection that is opened from now on after as many bytes, of both directions, as `bytes`
   * returns for it.
   */
  cutEach(bytes: () => number): void {
    this.#bytesOfNext = bytes
  }

  /** Ends what is stalled: the server hears that its clients are gone. */
  heal(): void {
    for (const link of this.#links) if (link.stalled) link.cut()
  }

  async stop(): Promise<void> {
    this.disarm()
    this.cutAll()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #lookOfNext(): Look {
    let left = this.#bytesOfNext?.() ?? Number.POSITIVE_INFINITY
    return message => {
      const size = message.bytes.length
      left -= size
      if (left >= 0) return this.#look(message)
      this.cuts++
      return { action: { do: 'cut' }, pass: Math.max(0, size + left) }
    }
  }

  #look(message: WireMessage): Verdict | undefined {
    for (const armed of this.#armed) {
      const { direction, at, afterBytes, pass = 0, action } = armed.trap
      if (direction !== message.direction) continue
      const size = message.bytes.length
      if (afterBytes !== undefined) {
        armed.bytesLeft -= size
        if (armed.bytesLeft >= 0) continue
        this.#spring(armed)
        return { action, pass: size + armed.bytesLeft }
      }
      if (at && !at(message)) continue
      if (armed.skip-- > 0) continue
      this.#spring(armed)
      return { action, pass: Math.floor(size * pass) }
    }
    return undefined
  }

  #spring(armed: Armed): void {
    this.#armed = this.#armed.filter(other => other !== armed)
    armed.fired()
  }
}

/** One client's connection and the server's behind it. */
class Link {
  readonly closed: Promise<unknown>
  stalled = false
  #halfClosed = false
  readonly #client: Socket
  readonly #server: Socket
  readonly #look: Look
  /** Each direction forwards its messages one after the other, also while one of them is delayed. */
  readonly #queues: Record<Direction, Promise<void>> = { up: Promise.resolve(), down: Promise.resolve() }

  constructor(client: Socket, port: number, look: Look) {
    this.#client = client
    this.#look = look
    this.#server = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    client.setNoDelay(true)
    this.closed = Promise.all([closing(client), closing(this.#server)])
    this.#pipe(client, 'up')
    this.#pipe(this.#server, 'down')
  }

  #pipe(from: Socket, direction: Direction): void {
    const parser = new WireParser(direction)
    from.on('data', bytes => {
      for (const message of parser.take(bytes as Buffer)) this.#enqueue(direction, () => this.#pass(message))
    })
    // a network that swallows bytes swallows the end of a connection, too
    const ended = (): void => this.#enqueue(direction, async () => void (this.stalled || this.cut()))
    from.on('end', ended)
    from.on('close', ended)
    from.on('error', () => this.#enqueue(direction, async () => void (this.stalled || this.reset())))
  }

  #enqueue(direction: Direction, work: () => Promise<void>): void {
    this.#queues[direction] = this.#queues[direction].then(work)
  }

  async #pass(message: WireMessage): Promise<void> {
    if (this.stalled) return
    const up = message.direction === 'up'
    if (up && this.#halfClosed) return
    const to = up ? this.#server : this.#client
    const verdict = this.#look(message)
    if (!verdict) {
      to.write(message.bytes)
      return
    }
    const { action, pass } = verdict
    if (pass > 0) to.write(message.bytes.subarray(0, pass))
    await this.#act(action)
    // an open connection continues with whole messages: only one that has ended may lack a part of one
    const goesOn = action.do === 'delay' || action.do === 'call' || (action.do === 'half-close' && !up)
    if (goesOn) to.write(message.bytes.subarray(pass))
  }

  async #act(action: Action): Promise<void> {
    switch (action.do) {
      case 'cut':
        return this.cut()
      case 'reset':
        return this.reset()
      case 'stall':
        this.stalled = true
        return
      case 'half-close':
        this.#halfClosed = true
        this.#server.end()
        return
      case 'delay':
        await sleep(action.ms)
        return
      case 'call':
        await action.run()
    }
  }

  /** Closes both sides, after what was written to them; nothing further passes. */
  cut(): void {
    this.stalled = true
    for (const socket of [this.#client, this.#server]) socket.destroySoon()
  }

  reset(): void {
    this.stalled = true
    for (const socket of [this.#client, this.#server]) socket.resetAndDestroy()
  }
}

function closing(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.once('close', () => resolve()))
}
