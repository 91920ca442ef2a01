import { Duplex } from 'node:stream'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { postgis } from '@electric-sql/pglite-postgis'
import pg from 'pg'

/**
 * PostgreSQL in this process, with pgvector and PostGIS, which the embedded server does not have. A client of
 * `pg` talks to it. It has one session, so there may be one client at a time.
 */
export class PgliteServer {
  readonly #db: PGlite

  private constructor(db: PGlite) {
    this.#db = db
  }

  static async start(): Promise<PgliteServer> {
    return withCheapKeys(async () => {
      const db = await PGlite.create({ extensions: { vector, postgis } })
      await db.exec('CREATE EXTENSION vector; CREATE EXTENSION postgis')
      return new PgliteServer(db)
    })
  }

  /** Returns a pool of the only client that there may be. */
  pool(): pg.Pool {
    return new pg.Pool({
      user: 'postgres',
      database: 'postgres',
      max: 1,
      stream: () => new Wire(this.#db) as never,
    })
  }

  async stop(): Promise<void> {
    await this.#db.close()
  }
}

/**
 * Runs `work` while `Object.keys` remembers the keys of large objects. PGlite lists all names of PostGIS anew
 * for each function that it looks up, which is two fifths of what its start costs.
 */
async function withCheapKeys<Result>(work: () => Promise<Result>): Promise<Result> {
  const { keys } = Object
  const known = new WeakMap<object, string[]>()
  Object.keys = (value: object) => {
    const found = known.get(value) ?? keys(value)
    if (found.length > 1000) known.set(value, found)
    return found
  }
  try {
    return await work()
  } finally {
    Object.keys = keys
  }
}

const QUERY = 'Q'.charCodeAt(0)
const COPY_DATA = 'd'.charCodeAt(0)
const COPY_DONE = 'c'.charCodeAt(0)
const COPY_FAIL = 'f'.charCodeAt(0)

/** `G`: the server takes the rows of a text COPY without columns; the true answer is dropped. */
const COPY_IN = Buffer.from([0x47, 0, 0, 0, 7, 0, 0, 0])

/**
 * A connection to PGlite, which answers messages and not streams: the messages of a COPY are handed over
 * together, once all are there.
 */
class Wire extends Duplex {
  readonly #db: PGlite
  #unread: Buffer = Buffer.alloc(0)
  #copy: Buffer[] | undefined

  constructor(db: PGlite) {
    super()
    this.#db = db
  }

  connect(): this {
    setImmediate(() => this.emit('connect'))
    return this
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {}
  unref(): void {}
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#receive(chunk).then(() => done(), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#receive(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done)
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  async #receive(bytes: Buffer): Promise<void> {
    const all = Buffer.concat([this.#unread, bytes])
    let start = 0
    let at = 0
    while (at + 5 <= all.length && at + 1 + all.readInt32BE(at + 1) <= all.length) {
      const end = at + 1 + all.readInt32BE(at + 1)
      const message = all.subarray(at, end)
      const isCopy = message[0] === QUERY && /COPY [^;]* FROM STDIN/.test(message.toString('latin1'))
      if (isCopy) {
        await this.#answer(all.subarray(start, at))
        this.#copy = [message]
        this.push(COPY_IN)
      } else if (this.#copy && [COPY_DATA, COPY_DONE, COPY_FAIL].includes(message[0]!)) {
        this.#copy.push(message)
        if (message[0] !== COPY_DATA) await this.#endCopy()
      }
      if (isCopy || this.#copy || message[0] === COPY_DONE || message[0] === COPY_FAIL) start = end
      at = end
    }
    // the first message of a connection has no type
    if (all[0] === 0) at = all.length
    await this.#answer(all.subarray(start, at))
    this.#unread = Buffer.from(all.subarray(at))
  }

  async #endCopy(): Promise<void> {
    const messages = Buffer.concat(this.#copy!)
    this.#copy = undefined
    await this.#answer(messages, true)
  }

  async #answer(messages: Buffer, dropsCopyIn = false): Promise<void> {
    if (messages.length === 0) return
    const answer = Buffer.from(await this.#db.execProtocolRaw(messages))
    this.push(dropsCopyIn ? withoutCopyIn(answer) : answer)
  }
}

function withoutCopyIn(answer: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; at < answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1)
    if (answer[at] !== COPY_IN[0]) kept.push(answer.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}
