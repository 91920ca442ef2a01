import { Lease } from '../../connection/pool/lease.ts'
import type { Table } from '../../types.ts'
import { MAX_TIMER_MS } from '../../values/time/timer-limit.ts'
import { type Database, type DatabaseRequest, type EarlyLookup, openDatabase } from './database.ts'
import type { QueryPool } from './query-pool.ts'
import { introspect } from './table.ts'

/**
 * Connects to a database and looks a table up, while the caller opens its file. If the caller fails, it
 * abandons the connection. A load of a small file takes 100 ms so, and 110 ms if it opens its file first.
 */
export class EarlyDatabase {
  readonly #database: Promise<Database>
  readonly #abandoned = new AbortController()
  #isTaken = false

  /** @param table its name */
  constructor(request: DatabaseRequest, table: string) {
    const signal = AbortSignal.any([request.signal, this.#abandoned.signal])
    this.#database = openDatabase({ ...request, signal }).then(database => ({
      ...database,
      earlyLookup: this.#lookUp(database, table),
    }))
    this.#database.catch(() => {}) // reported by `take`
  }

  #lookUp(database: Database, table: string): EarlyLookup {
    const { signal } = this.#abandoned
    const found = Lease.use(
      database.pool,
      client => introspect(database, client as unknown as QueryPool, table),
      MAX_TIMER_MS, // another session may lock the table for as long as it likes
      { stop: signal, kill: signal },
    )
    found.catch(() => {}) // reported where it is taken
    let left: Promise<Table | undefined> | undefined = found
    return {
      take() {
        const taken = left
        left = undefined
        return taken
      },
    }
  }

  /** Returns the database, which the caller closes. */
  take(): Promise<Database> {
    this.#isTaken = true
    return this.#database
  }

  /** Ends the connection, or the attempt to connect, unless the database was taken. */
  async abandon(): Promise<void> {
    if (this.#isTaken) return
    this.#abandoned.abort()
    // what failed first is reported, and not that the connection fails, too
    await this.#database.then(database => database.close()).catch(() => {})
  }
}
