import { AsyncLocalStorage } from 'node:async_hooks'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import pg from 'pg'

/**
 * Returns the option `stream` of pools of `pg` that share a stock of sessions. To start a session and to fill
 * its caches is most of what a short test costs the server. Pools and clients are new in each test, and see
 * what they would see of a new session. Only a session that its client ended in peace returns to the stock:
 * one that is idle, in no transaction, and takes `DISCARD ALL`.
 * @see https://www.postgresql.org/docs/current/sql-discard.html
 */
export function keptSessions(): () => Duplex {
  const stock: Stock = new Map()
  return () => new KeptConnection(stock)
}

const commands = new AsyncLocalStorage<URL>()
const ownStream = keptSessions()

/**
 * Runs what makes its own pools, and gives their clients sessions of a stock: clients of the server's role
 * there, by its password and without TLS.
 */
export function withKeptSessions<Result>(connectionString: string, work: () => Result): Result {
  return commands.run(new URL(connectionString), work)
}

const { connect: connectClient } = pg.Client.prototype
pg.Client.prototype.connect = function (this: Client, ...words: unknown[]) {
  const server = commands.getStore()
  const isOwn = this.host === server?.hostname && `${this.port}` === server.port
  if (isOwn && this.password === server.password && !this.ssl) this.connection.stream = ownStream()
  return (connectClient as (...words: unknown[]) => unknown).apply(this, words)
} as typeof connectClient

/** What `pg` does not declare. */
type Client = pg.Client & { ssl: unknown; connection: { stream: Duplex } }

interface Session {
  readonly socket: Socket
  /** What the server sent when the session began, from AuthenticationOk on, without ReadyForQuery. */
  readonly greeting: Buffer
}

/** The idle sessions, by the startup message that began them. */
type Stock = Map<string, Set<Session>>

const PROTOCOL_3 = 196_608
const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])
const IDLE = READY.at(-1)
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])

class KeptConnection extends Duplex {
  readonly #stock: Stock
  #address = { port: 0, host: '' }
  #startup: Startup | undefined
  #socket: Socket | undefined
  #session: Session | undefined
  /** What the server has sent and the client has not got yet. */
  #held: Buffer = Buffer.alloc(0)
  #receive: (chunk: Buffer) => void = chunk => this.push(chunk)
  /** True: the server has answered all, and the session is in no transaction. */
  #isIdle = false
  #leaving: Promise<void> | undefined

  constructor(stock: Stock) {
    super({ allowHalfOpen: false })
    this.#stock = stock
  }

  connect(port: number, host: string): this {
    this.#address = { port, host }
    process.nextTick(() => this.emit('connect'))
    return this
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {
    this.#socket?.ref()
  }
  unref(): void {
    this.#socket?.unref()
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket === undefined) {
      this.#start(chunk)
      done()
    } else if (this.#isIdle && chunk.equals(TERMINATE)) {
      this.#leaving = this.#keep()
      done()
    } else {
      this.#isIdle = false
      this.#socket.write(chunk, done)
    }
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer', done)
  }

  override _final(done: () => void): void {
    if (this.#leaving === undefined) this.#socket?.end()
    Promise.resolve(this.#leaving).then(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.destroy()
    done(error)
  }

  #start(message: Buffer): void {
    if (message.readInt32BE(4) !== PROTOCOL_3) {
      this.#use(this.#open()).write(message) // asks for TLS, or to cancel a statement
      return
    }
    this.#startup = readStartup(message, this.#address)
    const kept = this.#stock.get(this.#startup.key)
    for (const session of kept ?? []) {
      kept!.delete(session)
      this.#use(session.socket)
      this.#begin(session)
      return
    }
    this.#receive = chunk => this.#greet(chunk)
    this.#use(this.#open()).write(this.#startup.message)
  }

  /** Without a delay, as `pg` connects: of two small writes the second would wait 40 ms. */
  #open(): Socket {
    return connect({ ...this.#address, noDelay: true })
  }

  #use(socket: Socket): Socket {
    this.#socket = socket.removeAllListeners('error').removeAllListeners('close').ref()
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => {
      this.push(this.#held)
      this.push(null)
    })
    return socket
  }

  /** Passes on what the server says about the password, and takes its greeting. */
  #greet(chunk: Buffer): void {
    const all = Buffer.concat([this.#held, chunk])
    const at = all.indexOf(AUTHENTICATED)
    if (at > 0) this.push(all.subarray(0, at))
    else if (at < 0) this.push(all)
    this.#held = at < 0 ? Buffer.alloc(0) : all.subarray(at)
    if (statusAtEnd(this.#held) === undefined) return
    const greeting = this.#held.subarray(0, -READY.length)
    this.#begin({ socket: this.#socket!, greeting })
  }

  /** Gives the session its name, and then to the client. */
  async #begin(session: Session): Promise<void> {
    this.#held = session.greeting
    await this.#answer(`SET application_name = '${this.#startup!.name.replaceAll("'", "''")}'`)
    this.#held = Buffer.alloc(0)
    this.#session = session
    this.#receive = chunk => {
      this.#isIdle = statusAtEnd(chunk) === IDLE
      if (!this.push(chunk)) this.#socket!.pause()
    }
    this.#receive(Buffer.concat([session.greeting, READY]))
  }

  /** Returns the session to the stock, if the server takes back what the client has set. */
  async #keep(): Promise<void> {
    const answer = await this.#answer('DISCARD ALL')
    const { key } = this.#startup!
    const session = this.#session!
    if (statusAtEnd(answer) !== IDLE || !answer.includes('DISCARD ALL\0')) {
      session.socket.destroy()
      return
    }
    this.#socket = undefined
    const kept = this.#stock.get(key) ?? new Set()
    this.#stock.set(key, kept.add(session))
    // the server ends it when the database is dropped
    const drop = () => kept.delete(session)
    session.socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close')
    session.socket.on('error', drop).on('close', drop).resume().unref()
    this.push(null)
  }

  /** Asks the server, and resolves to its answer once it takes the next statement. */
  #answer(statement: string): Promise<Buffer> {
    return new Promise(resolve => {
      let answer: Buffer = Buffer.alloc(0)
      this.#receive = chunk => {
        answer = Buffer.concat([answer, chunk])
        if (statusAtEnd(answer) !== undefined) resolve(answer)
      }
      this.#socket!.resume().write(query(statement))
    })
  }
}

interface Startup {
  /** All that the client wants of a session, except for its name. */
  readonly key: string
  readonly name: string
  /** The message without the session's name, which `RESET` would bring back. */
  readonly message: Buffer
}

function readStartup(message: Buffer, { host, port }: { host: string; port: number }): Startup {
  const words = message.toString('utf8', 8).split('\0')
  const at = words.findIndex((word, i) => i % 2 === 0 && word === 'application_name')
  const [, name = ''] = at < 0 ? [] : words.splice(at, 2)
  const rest = words.join('\0')
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + Buffer.byteLength(rest), 0)
  head.writeInt32BE(PROTOCOL_3, 4)
  return { key: `${host}:${port} ${rest}`, name, message: Buffer.concat([head, Buffer.from(rest)]) }
}

function query(text: string): Buffer {
  const message = Buffer.from(`Q\0\0\0\0${text}\0`)
  message.writeInt32BE(message.length - 1, 1)
  return message
}

/** Returns the status of the transaction, if the bytes end with ReadyForQuery. */
function statusAtEnd(bytes: Buffer): number | undefined {
  const start = bytes.length - READY.length
  return start >= 0 && bytes.compare(READY, 0, 5, start, start + 5) === 0 ? bytes.at(-1) : undefined
}
