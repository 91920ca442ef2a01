import { type Database, type DatabaseRequest, openDatabase } from './database.ts'

/** Connects to a database while something else is done, which may fail: then it is abandoned. */
export class EarlyDatabase {
  readonly #database: Promise<Database>
  readonly #abandoned = new AbortController()
  #isTaken = false

  constructor(request: DatabaseRequest) {
    const signal = AbortSignal.any([request.signal, this.#abandoned.signal])
    this.#database = openDatabase({ ...request, signal })
    this.#database.catch(() => {}) // reported by `take`
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
