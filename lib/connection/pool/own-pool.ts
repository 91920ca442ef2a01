import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import type { PgClientLike, PgPoolLike } from '../pg-types.ts'
import { HostsPool } from './hosts-pool.ts'

/** How long a host has to answer, so that a silent one does not keep a process alive for minutes. */
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000

/** A pool that a stream creates when it first needs a client, and ends when it ends. */
export class OwnPool implements PgPoolLike {
  readonly #parameters: ConnectionParameters
  readonly #max: number
  readonly #connectTimeoutMs: number
  #pool: Promise<HostsPool> | undefined

  /**
   * @param patienceMs how long a stream waits for a client; a slower connection must not keep its place in
   *   the pool
   */
  constructor(parameters: ConnectionParameters, max: number, patienceMs: number) {
    this.#parameters = parameters
    this.#max = max
    this.#connectTimeoutMs = Math.min(patienceMs, parameters.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS)
  }

  /** The stream that has made the pool has a client for each lane: its lanes do not wait for each other. */
  get waitingCount(): number {
    return 0
  }

  async connect(): Promise<PgClientLike> {
    this.#pool ??= this.#make()
    return (await this.#pool).connect()
  }

  async #make(): Promise<HostsPool> {
    // imported only here: a caller with a pool of another driver need not have pg
    const { default: pg } = await import('pg').catch(error => {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
      throw new Error('the package pg is not installed: npm install pg', { cause: error })
    })
    return new HostsPool(this.#parameters, { pg, max: this.#max, connectTimeoutMs: this.#connectTimeoutMs })
  }

  async end(): Promise<void> {
    await (await this.#pool)?.end()
  }
}
