import { guardHandOver } from './hand-over.ts'
import type { PgClientLike, PgPoolLike } from './pg-types.ts'

interface EndablePool extends PgPoolLike {
  end(): Promise<void>
  on(event: 'connect', listener: (client: PgClientLike) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A host that does not answer is given up after this at the latest, and so does not keep a process alive for minutes. */
const MAX_CONNECT_TIMEOUT_MS = 10_000

/** A pool that a stream makes for itself when it first needs a client, and ends with itself. */
export class OwnPool implements PgPoolLike {
  readonly #connectionString: string
  readonly #max: number
  readonly #connectTimeoutMs: number
  #pool: Promise<EndablePool> | undefined

  /** @param patienceMs how long a client is waited for: one that takes longer must not keep its place in the pool */
  constructor(connectionString: string, max: number, patienceMs: number) {
    this.#connectionString = connectionString
    this.#max = max
    this.#connectTimeoutMs = Math.min(patienceMs, MAX_CONNECT_TIMEOUT_MS)
  }

  async connect(): Promise<PgClientLike> {
    this.#pool ??= this.#make()
    return (await this.#pool).connect()
  }

  async #make(): Promise<EndablePool> {
    // only here: whoever brings a pool may bring another driver's
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({
      connectionString: this.#connectionString,
      max: this.#max,
      connectionTimeoutMillis: this.#connectTimeoutMs,
    })
    // an idle client's broken connection is no failure: the pool makes another
    pool.on('error', () => {})
    guardHandOver(pool as unknown as PgPoolLike)
    return pool as unknown as EndablePool
  }

  async end(): Promise<void> {
    await (await this.#pool)?.end()
  }
}
