import { CopyIn } from './copy-in.ts'
import type { Lease } from './lease.ts'
import { readTicket, type TransactionTicket, ticketStatement } from './outcome.ts'
import type { PgClientLike, PgResultLike } from './pg-types.ts'
import { queryText } from './query-text.ts'
import { connectionSurvives, isServerError } from './server-error.ts'

/** How far a transaction has come: what an error now means for its rows. */
export type TransactionState = 'fresh' | 'open' | 'committing' | 'committed' | 'rolled-back'

export interface TransactionOptions {
  /** A statement that takes longer is cancelled by the server; one that is not answered ends the connection. */
  readonly statementTimeoutMs: number
  /** The same for COMMIT. */
  readonly commitTimeoutMs: number
  /** The server can tell what became of a transaction; false for what is no PostgreSQL. */
  readonly ticketed: boolean
}

/** The server answered COMMIT by a ROLLBACK: somebody had a statement fail in the transaction and went on. */
export class HiddenFailure extends Error {
  override readonly name = 'HiddenFailure'

  constructor() {
    super(
      'A statement failed in the transaction and nobody was told (in `inTransaction`?), so COMMIT was a ROLLBACK',
    )
  }
}

/** What the server gets to cancel a statement by itself, which keeps the connection, before the connection is ended. */
const CANCEL_GRACE_MS = 1000

/**
 * One transaction on a leased client. BEGIN, and savepoints, travel in front of the next statement, and so cost no
 * round trip of their own.
 *
 *     fresh ──first statement──▶ open ──commit()──▶ committing ──COMMIT──▶ committed
 *                                 │                     │
 *                                 └──rollback()─────────┴──ROLLBACK, error──▶ rolled-back
 *
 * A transaction whose connection dies before `commit()` is rolled back by the server. One that dies in
 * `committing` stays there: its outcome is open, and `ticket` says how to ask for it.
 */
export class Transaction {
  readonly lease: Lease
  /** How to ask another connection for the outcome; known once the first statement was answered. */
  ticket: TransactionTicket | undefined
  readonly #options: TransactionOptions
  #state: TransactionState = 'fresh'
  #preamble: string[]

  constructor(lease: Lease, options: TransactionOptions) {
    this.lease = lease
    this.#options = options
    this.#preamble = ['BEGIN']
    if (options.ticketed) this.#preamble.push(ticketStatement(options.statementTimeoutMs))
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Runs one statement. Without `values` several may be given, separated by semicolons. */
  async query(text: string, values?: unknown[]): Promise<PgResultLike> {
    // parameters need the extended protocol, which takes one statement at a time
    if (values) await this.begin()
    return this.#run(this.#withPreamble(text), values)
  }

  /** Opens a COPY … FROM STDIN; the caller ends or aborts it before the next statement. */
  openCopy(text: string): CopyIn {
    const copy = CopyIn.open(this.lease.client, this.#withPreamble(text))
    copy.settled.catch(error => this.#noteFailure(error))
    if (this.#options.ticketed) {
      // also when the COPY has failed by then: under a savepoint the transaction goes on
      const note = (): void => this.#noteTicket(copy.precedingRows[0])
      copy.ready().then(note, note)
    }
    return copy
  }

  /** Waits for an answer to what was sent by a COPY, no longer than for a statement's. */
  answered<T>(answer: Promise<T>): Promise<T> {
    return this.lease.within(this.#options.statementTimeoutMs + CANCEL_GRACE_MS, answer)
  }

  /**
   * The client for a callback of the user's: what it asks is waited for no longer than a statement of ours, and a
   * server that does not answer loses the connection. Submittables (a COPY stream, a cursor) are the callback's own.
   */
  guardedClient(): PgClientLike {
    const query = (...args: Parameters<PgClientLike['query']>): unknown => {
      const answer: unknown = this.lease.client.query(...args)
      return answer instanceof Promise ? this.answered(answer) : answer
    }
    return new Proxy(this.lease.client, {
      get(client, key) {
        if (key === 'query') return query
        const value: unknown = Reflect.get(client, key, client)
        return typeof value === 'function' ? value.bind(client) : value
      },
    })
  }

  /** Sends what was to travel in front of a statement: the transaction is open then. */
  async begin(): Promise<void> {
    if (this.#preamble.length > 0) await this.#run(this.#withPreamble(''))
  }

  /** Has `text` run in front of the next statement. */
  before(text: string): void {
    this.#preamble.push(text)
  }

  /**
   * Commits. The server answers COMMIT of a failed transaction with the tag ROLLBACK and no error, so the tag is
   * looked at.
   */
  async commit(): Promise<void> {
    if (this.#state === 'fresh') {
      this.#state = 'committed'
      return
    }
    await this.begin()
    this.#state = 'committing'
    try {
      const { command } = await this.lease.within(
        this.#options.commitTimeoutMs,
        this.lease.client.query('COMMIT'),
      )
      if (command === 'ROLLBACK') {
        this.#state = 'rolled-back'
        throw new HiddenFailure()
      }
      this.#state = 'committed'
    } catch (error) {
      if (saysRolledBack(error)) this.#state = 'rolled-back'
      else if (!(error instanceof HiddenFailure)) this.lease.broken ??= error as Error
      throw error
    }
  }

  /** Rolls back what can be rolled back; never throws. A client that cannot answer is marked as broken. */
  async rollback(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'rolled-back'
    if (this.lease.broken) return
    try {
      await this.lease.within(this.#options.commitTimeoutMs, this.lease.client.query('ROLLBACK'))
    } catch (error) {
      this.lease.broken ??= error as Error
    }
  }

  async #run(text: string, values?: unknown[]): Promise<PgResultLike> {
    try {
      const answer = await this.answered(queryText(this.lease.client, text, values))
      if (!Array.isArray(answer)) return answer // pg answers several statements with an array
      const results = answer as PgResultLike[]
      const ticket = results.find(result => result.rows?.[0] && 'pg_batch_xid' in result.rows[0])
      if (ticket) this.#noteTicket(Object.values(ticket.rows[0]!))
      return results.at(-1)!
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  /** Marks the client as broken by an error that its connection does not survive. */
  #noteFailure(error: unknown): void {
    if (!connectionSurvives(error)) this.lease.broken ??= error as Error
  }

  #noteTicket(row: readonly unknown[] | undefined): void {
    this.ticket ??= readTicket(row)
  }

  #withPreamble(text: string): string {
    this.#state = 'open'
    const all = text === '' ? this.#preamble : [...this.#preamble, text]
    this.#preamble = []
    return all.join('; ')
  }
}

const STATEMENT_COMPLETION_UNKNOWN = '40003'

/** An error that COMMIT was answered by undid it, but for the one by which CockroachDB says that it cannot tell. */
function saysRolledBack(error: unknown): boolean {
  const ambiguous = isServerError(error) && error.code === STATEMENT_COMPLETION_UNKNOWN
  return connectionSurvives(error) && !ambiguous
}
