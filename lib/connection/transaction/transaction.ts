import { CopyIn } from '../copy-in.ts'
import { DeadlineError } from '../deadline-error.ts'
import type { PgClientLike, PgResultLike } from '../pg-types.ts'
import type { Lease } from '../pool/lease.ts'
import { queryText } from '../query-text.ts'
import { connectionSurvives, isServerError } from '../server-error.ts'
import { CallbackClient } from './callback-client.ts'
import { CallbackTimeout } from './callback-limits.ts'
import { readTicket, type TransactionTicket, ticketStatement } from './outcome.ts'
import { ServerWatch } from './server-watch.ts'
import { isTransaction, PROOF_SAVEPOINT, saysEnded, saysFailed } from './transaction-proof.ts'

/**
 * How far a transaction has come: what an error now means for its rows. `lost`: something else than `commit` and
 * `rollback` has ended it, and the server cannot say how.
 */
export type TransactionState = 'fresh' | 'open' | 'committing' | 'committed' | 'rolled-back' | 'lost'

export interface TransactionOptions {
  /** A statement that takes longer is cancelled by the server; one that is not answered ends the connection. */
  readonly statementTimeoutMs: number
  /** The same for COMMIT. */
  readonly commitTimeoutMs: number
  /** The server can tell what became of a transaction; false for what is no PostgreSQL. */
  readonly ticketed: boolean
  /** Without tickets, a savepoint proves to `lend` that the transaction goes on; false for what has no savepoints. */
  readonly savepointed?: boolean
}

/** The transaction was ended, and not by us. */
export class TransactionEnded extends Error {
  override readonly name = 'TransactionEnded'

  constructor() {
    super(
      'The transaction was ended, and not by the stream (by `inTransaction`?): ' +
        'nothing further was stored',
    )
  }
}

/** The server can only roll the transaction back: a statement of a callback has failed, and the callback went on. */
export class SwallowedError extends Error {
  override readonly name = 'SwallowedError'

  constructor() {
    super(
      'A statement of `inTransaction` failed and its error was ignored: ' +
        'the transaction could only be rolled back',
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
 * `rollback()` after a callback had the client may find that the callback has ended the transaction: it is then
 * `committed`, or `lost` where the server cannot say.
 *
 * A transaction whose connection dies before `commit()` is rolled back by the server. One that dies in
 * `committing` stays there: its outcome is open, and `ticket` says how to ask for it.
 */
export class Transaction {
  readonly lease: Lease
  /** How to ask another connection for the outcome; known once the first statement was answered. */
  ticket: TransactionTicket | undefined
  /** What is seen of the server once COMMIT was sent. */
  watch: ServerWatch | undefined
  #ticketAt = Number.POSITIVE_INFINITY
  readonly #options: TransactionOptions
  #state: TransactionState = 'fresh'
  /** Another than this class may have ended it: a callback had the client, or a proof has failed. */
  #isDoubtful = false
  /** Something else than `commit` and `rollback` has ended it. */
  #wasEnded = false
  #preamble: string[]

  constructor(lease: Lease, options: TransactionOptions) {
    this.lease = lease
    this.#options = options
    this.#preamble = ['BEGIN']
    if (options.ticketed) this.#preamble.push(ticketStatement(options.statementTimeoutMs))
    else if (options.savepointed) this.#preamble.push(`SAVEPOINT ${PROOF_SAVEPOINT}`)
  }

  get state(): TransactionState {
    return this.#state
  }

  /** The server is a PostgreSQL that tells what became of a transaction. */
  get isTicketed(): boolean {
    return this.#options.ticketed
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

  /** The same of a COPY, whose answers are waited for no longer than `query_timeout` of pg allows either. */
  copyAnswered<T>(answer: Promise<T>): Promise<T> {
    const timeoutMs = this.lease.client.connectionParameters?.query_timeout
    return typeof timeoutMs === 'number' && timeoutMs > 0
      ? this.lease.within(timeoutMs, this.answered(answer))
      : this.answered(answer)
  }

  /**
   * Lends the client to a callback of the user's, in this transaction; see {@link CallbackClient}. It ends at the latest
   * with the connection. Where an earlier callback has ended the transaction it is not called: what it writes would be
   * committed at once, and by itself.
   */
  async lend(callback: (client: PgClientLike) => Promise<void>): Promise<void> {
    await this.begin()
    if (this.#isDoubtful) await this.#prove()
    this.#isDoubtful = true
    const lent = new CallbackClient(this.lease.client, answer => this.answered(answer))
    try {
      await this.lease.whileConnected(callback(lent.client))
      await this.lease.whileConnected(lent.settle())
    } catch (error) {
      // ROLLBACK would wait for what does not end
      if (lent.hasOpenStream || (error instanceof CallbackTimeout && lent.isBusy))
        this.lease.end(error as Error)
      throw error
    } finally {
      lent.revoke()
    }
  }

  /**
   * A condition for a statement that is to run in this transaction only: it fails a statement that runs in another
   * one, or in none. To be read once the transaction has begun.
   */
  get proof(): string {
    return this.ticket ? isTransaction(this.ticket.xid) : 'true'
  }

  /** Where `proof` proves nothing, fails with the next statement when the transaction has ended. */
  proveBefore(): void {
    if (!this.ticket && this.#options.savepointed) {
      this.before(`RELEASE SAVEPOINT ${PROOF_SAVEPOINT}; SAVEPOINT ${PROOF_SAVEPOINT}`)
    }
  }

  async #prove(): Promise<void> {
    this.proveBefore()
    if (this.ticket) await this.#run(`SELECT ${this.proof}`)
    else await this.begin()
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
   * Commits this transaction, and no other. The server answers COMMIT of a failed transaction with the tag ROLLBACK
   * and no error, so the tag is looked at.
   */
  async commit(): Promise<void> {
    if (this.#state === 'fresh') {
      this.#state = 'committed'
      return
    }
    await this.begin()
    if (this.lease.broken) throw this.lease.broken
    this.#state = 'committing'
    this.watch = new ServerWatch(this.#ticketAt, performance.now())
    try {
      const { command } = await this.#end(this.#commitText())
      if (command === 'ROLLBACK') {
        this.#state = 'rolled-back'
        // the answer may be to a ROLLBACK that a callback sent past the client, and COMMIT's own still to come
        if (this.#isDoubtful) this.lease.broken ??= new TransactionEnded()
        throw new SwallowedError()
      }
      this.#state = 'committed'
    } catch (error) {
      if (!(error instanceof DeadlineError)) this.watch.lost(performance.now())
      if (saysEnded(error) || saysFailed(error)) {
        this.#state = 'open' // COMMIT did not run
        throw this.#explained(error)
      }
      if (saysRolledBack(error)) this.#state = 'rolled-back'
      else if (!(error instanceof SwallowedError)) this.lease.broken ??= error as Error
      throw error
    }
  }

  #commitText(): string {
    if (this.ticket) return `SELECT ${this.proof}; COMMIT`
    return this.#options.savepointed ? `RELEASE SAVEPOINT ${PROOF_SAVEPOINT}; COMMIT` : 'COMMIT'
  }

  /**
   * Rolls back what can be rolled back; never throws. A client that cannot answer is marked as broken. Where another
   * may have ended the transaction, asks in the same breath how it has really ended.
   */
  async rollback(): Promise<void> {
    if (this.#state !== 'open') return
    await this.#rollBack()
    // whatever has ended the transaction may have left the client out of step with the server
    if (this.#wasEnded) this.lease.broken ??= new TransactionEnded()
  }

  async #rollBack(): Promise<void> {
    this.#state = 'rolled-back'
    if (this.lease.broken) return
    try {
      if (!this.#isDoubtful) await this.#end('ROLLBACK')
      else if (this.ticket) await this.#rollbackAndAsk(this.ticket)
      else await this.#rollbackToProof()
    } catch (error) {
      this.lease.broken ??= error as Error
    }
  }

  async #rollbackAndAsk({ xid }: TransactionTicket): Promise<void> {
    const { rows } = await this.#end(
      `ROLLBACK; SELECT pg_catalog.pg_xact_status('${xid}'::pg_catalog.xid8) AS status`,
    )
    const status = rows[0]?.status
    if (status === 'committed') this.#state = 'committed'
    else if (status !== 'aborted') this.#state = 'lost'
  }

  /** The savepoint is there, also after a failed statement, unless the transaction has ended. */
  async #rollbackToProof(): Promise<void> {
    if (this.#options.savepointed) {
      try {
        await this.#end(`ROLLBACK TO SAVEPOINT ${PROOF_SAVEPOINT}`)
      } catch (error) {
        if (!connectionSurvives(error)) throw error
        this.#state = 'lost'
      }
    }
    await this.#end('ROLLBACK')
  }

  /** Runs statements at the transaction's end; returns the last one's result. */
  async #end(text: string): Promise<PgResultLike> {
    return lastOf(await this.lease.within(this.#options.commitTimeoutMs, queryText(this.lease.client, text)))
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
      throw this.#explained(error)
    }
  }

  /** Says in our words what a callback has done to the transaction. */
  #explained(error: unknown): unknown {
    if (saysEnded(error)) {
      this.#isDoubtful = true
      this.#wasEnded = true
      return new TransactionEnded()
    }
    return this.#isDoubtful && saysFailed(error) ? new SwallowedError() : error
  }

  /** Marks the client as broken by an error that its connection does not survive. */
  #noteFailure(error: unknown): void {
    if (!connectionSurvives(error)) this.lease.broken ??= error as Error
  }

  #noteTicket(row: readonly unknown[] | undefined): void {
    if (this.ticket) return
    this.ticket = readTicket(row)
    this.#ticketAt = performance.now()
  }

  #withPreamble(text: string): string {
    this.#state = 'open'
    const all = text === '' ? this.#preamble : [...this.#preamble, text]
    this.#preamble = []
    return all.join('; ')
  }
}

/** pg answers several statements with an array. */
function lastOf(answer: PgResultLike | readonly PgResultLike[]): PgResultLike {
  return Array.isArray(answer) ? answer.at(-1) : (answer as PgResultLike)
}

const STATEMENT_COMPLETION_UNKNOWN = '40003'

/** An error that COMMIT was answered by undid it, but for the one by which CockroachDB says that it cannot tell. */
function saysRolledBack(error: unknown): boolean {
  const ambiguous = isServerError(error) && error.code === STATEMENT_COMPLETION_UNKNOWN
  return connectionSurvives(error) && !ambiguous
}
