import { BoundRows, type BoundStatement } from '../bound-rows.ts'
import { CopyIn } from '../copy-in.ts'
import { DeadlineError } from '../deadline-error.ts'
import type { PgTransactionClient } from '../pg-transaction-client.ts'
import type { PgResultLike } from '../pg-types.ts'
import type { Lease } from '../pool/lease.ts'
import { lastResult, queryText } from '../query-text.ts'
import { connectionSurvives } from '../server-error.ts'
import { lendClient } from './lend-client.ts'
import { ServerWatch } from './server-watch.ts'
import { readTicket, type TransactionTicket, ticketStatement } from './ticket.ts'
import {
  SwallowedError,
  saysEnded,
  saysFailed,
  saysRolledBack,
  TransactionEnded,
} from './transaction-errors.ts'
import { hasProofSavepoint, isTransaction, PROOF_SAVEPOINT, rollbackAndAsk } from './transaction-proof.ts'

/**
 * How far a transaction has come, which decides what an error means for its rows. `lost`: something other
 * than `commit` and `rollback` has ended it, and the server cannot say how.
 */
export type TransactionState = 'fresh' | 'open' | 'committing' | 'committed' | 'rolled-back' | 'lost'

export interface TransactionOptions {
  /** The server cancels a statement that takes longer; the connection is ended if it does not answer. */
  readonly statementTimeoutMs: number
  /** The same for COMMIT. */
  readonly commitTimeoutMs: number
  /** The server can report the outcome of a transaction; false for servers other than PostgreSQL. */
  readonly ticketed: boolean
  /**
   * The transaction lasts as long as its rows come. The server limits neither its statements nor its pauses;
   * only its silence is limited, here.
   */
  readonly endless?: boolean
  /** Without tickets, a savepoint proves that the transaction has not ended; false without savepoints. */
  readonly savepointed?: boolean
}

/**
 * How long the server has to cancel a statement, which keeps the connection, before the connection is ended.
 */
const CANCEL_GRACE_MS = 1000

/**
 * One transaction on a leased client. BEGIN and savepoints are sent in front of the next statement, so they
 * cost no round trip of their own.
 *
 *     fresh ──first statement──▶ open ──commit()──▶ committing ──COMMIT──▶ committed
 *                                 │                     │
 *                                 └──rollback()─────────┴──ROLLBACK, error──▶ rolled-back
 *
 * After a callback had the client, `rollback()` may find that the callback has ended the transaction. The
 * state is then `committed`, or `lost` where the server cannot say.
 *
 * The server rolls back a transaction whose connection breaks before `commit()`. If it breaks in
 * `committing`, the state stays `committing`: the outcome is open, and `ticket` says how to ask for it.
 */
export class Transaction {
  readonly lease: Lease
  /** How to ask for the outcome on another connection; known once the first statement was answered. */
  ticket: TransactionTicket | undefined
  /** What was seen of the server since COMMIT was sent. */
  watch: ServerWatch | undefined
  /** How much longer an answer may take than `statementTimeoutMs`. */
  patienceMs = 0
  #ticketAt = Number.POSITIVE_INFINITY
  readonly #options: TransactionOptions
  #state: TransactionState = 'fresh'
  /** Something other than this class may have ended it: a callback had the client, or a proof has failed. */
  #isDoubtful = false
  /** Something other than `commit` and `rollback` has ended it. */
  #wasEnded = false
  /** The option whose callback had the client last. */
  #lentTo = 'inTransaction'
  /** The answer to the next statement proves that the transaction has not ended. */
  #isProofSent = false
  #preamble: string[]

  constructor(lease: Lease, options: TransactionOptions) {
    this.lease = lease
    this.#options = options
    this.#preamble = ['BEGIN']
    const limitMs = options.endless ? undefined : options.statementTimeoutMs
    if (options.ticketed) this.#preamble.push(ticketStatement(limitMs))
    else if (options.savepointed) this.#preamble.push(`SAVEPOINT ${PROOF_SAVEPOINT}`)
  }

  get state(): TransactionState {
    return this.#state
  }

  /** The server is a PostgreSQL that reports the outcome of a transaction. */
  get isTicketed(): boolean {
    return this.#options.ticketed
  }

  /** Runs one statement; without `values`, several that are separated by semicolons. */
  async query(text: string, values?: unknown[]): Promise<PgResultLike> {
    // parameters need the extended protocol, which takes one statement at a time
    if (values) await this.begin()
    return this.#run(this.#withPreamble(text), values)
  }

  /** Opens a COPY … FROM STDIN; the caller ends or aborts it before the next statement. */
  openCopy(text: string): CopyIn {
    const copy = CopyIn.open(this.lease.client, this.#withPreamble(text))
    copy.settled.catch(error => this.#noteFailure(error))
    const proven = (): void => this.#proven()
    if (this.#isProofSent) copy.ready().then(proven, () => {})
    if (this.#options.ticketed) {
      // also when the COPY has failed: under a savepoint the transaction continues
      const note = (): void => this.#noteTicket(copy.precedingRows[0])
      copy.ready().then(note, note)
    }
    return copy
  }

  /**
   * Starts statements that run once for each of their rows; the caller waits for `settled` before the next
   * one.
   */
  async openRows(statements: readonly BoundStatement[]): Promise<BoundRows> {
    await this.begin()
    const rows = BoundRows.open(this.lease.client, statements)
    rows.settled.catch(error => this.#noteFailure(error))
    return rows
  }

  /** Waits for the answer to something that a COPY has sent, no longer than for a statement's answer. */
  answered<T>(answer: Promise<T>): Promise<T> {
    const { statementTimeoutMs } = this.#options
    return this.lease.within(statementTimeoutMs + CANCEL_GRACE_MS + this.patienceMs, answer)
  }

  /** Does the same for a COPY, whose answers pg's `query_timeout` also limits. */
  copyAnswered<T>(answer: Promise<T>): Promise<T> {
    const timeoutMs = this.lease.client.connectionParameters?.query_timeout
    return typeof timeoutMs === 'number' && timeoutMs > 0
      ? this.lease.within(timeoutMs, this.answered(answer))
      : this.answered(answer)
  }

  /**
   * Lends the client to a callback, inside this transaction, see `CallbackClient`. The loan ends with
   * the connection at the latest. If an earlier callback has ended the transaction, fails before it calls
   * this one, whose writes would be committed at once and alone.
   * @param option the option that the callback belongs to, as messages name it
   */
  async lend(option: string, callback: (client: PgTransactionClient) => Promise<void>): Promise<void> {
    await this.begin()
    if (this.#isDoubtful) await this.#prove()
    this.#isDoubtful = true
    this.#lentTo = option
    await lendClient(option, this.lease, callback, answer => this.answered(answer))
  }

  /** Returns a condition that fails a statement outside of this transaction; read it after `begin`. */
  get proof(): string {
    return this.ticket ? isTransaction(this.ticket.xid) : 'true'
  }

  /** Where `proof` proves nothing, makes the next statement fail if the transaction has ended. */
  proveBefore(): void {
    if (!this.ticket && this.#options.savepointed) {
      this.before(`RELEASE SAVEPOINT ${PROOF_SAVEPOINT}; SAVEPOINT ${PROOF_SAVEPOINT}`)
    }
  }

  /**
   * Makes the next statement fail if the callback that had the client has ended the transaction, or has
   * ignored an error. Costs no round trip.
   */
  proveWithNext(): void {
    if (this.ticket) this.before(`SELECT ${this.proof}`)
    else this.proveBefore()
    this.#isProofSent = this.#preamble.length > 0
  }

  #proven(): void {
    if (this.#isProofSent) this.#isDoubtful = false
    this.#isProofSent = false
  }

  async #prove(): Promise<void> {
    this.proveBefore()
    if (this.ticket) await this.#run(`SELECT ${this.proof}`)
    else await this.begin()
  }

  /** Sends the statements that wait for the next one; the transaction is open then. */
  async begin(): Promise<void> {
    if (this.#preamble.length > 0) await this.#run(this.#withPreamble(''))
  }

  /** Runs `text` in front of the next statement. */
  before(text: string): void {
    this.#preamble.push(text)
  }

  /**
   * Commits this transaction, and no other. Checks the command tag, because the server answers COMMIT of a
   * failed transaction with ROLLBACK and no error.
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
        // the answer may be that of a callback's own ROLLBACK, with COMMIT's answer still to come
        if (this.#isDoubtful) this.lease.broken ??= new TransactionEnded(this.#lentTo)
        throw new SwallowedError(this.#lentTo)
      }
      this.#state = 'committed'
    } catch (error) {
      if (!(error instanceof DeadlineError)) this.watch.lost(performance.now())
      if (saysEnded(error) || saysFailed(error)) {
        this.#state = 'open' // COMMIT did not run
        throw this.explained(error)
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
   * Rolls back; never throws. Marks a client that cannot answer as broken. Where something else may have
   * ended the transaction, asks in the same query string how it has ended.
   */
  async rollback(): Promise<void> {
    if (this.#state !== 'open') return
    await this.#rollBack()
    // what has ended the transaction may have left the client out of step with the server
    if (this.#wasEnded) this.lease.broken ??= new TransactionEnded(this.#lentTo)
  }

  async #rollBack(): Promise<void> {
    this.#state = 'rolled-back'
    if (this.lease.broken) return
    try {
      if (!this.#isDoubtful) await this.#end('ROLLBACK')
      else if (this.ticket) this.#state = await rollbackAndAsk(text => this.#end(text), this.ticket.xid)
      else await this.#rollbackToProof()
    } catch (error) {
      this.lease.broken ??= error as Error
    }
  }

  /** Rolls back where a savepoint has to prove that the transaction has not ended before. */
  async #rollbackToProof(): Promise<void> {
    const end = (text: string) => this.#end(text)
    if (this.#options.savepointed && !(await hasProofSavepoint(end))) this.#state = 'lost'
    await this.#end('ROLLBACK')
  }

  /** Runs statements that end the transaction; returns the last one's result. */
  async #end(text: string): Promise<PgResultLike> {
    return lastResult(
      await this.lease.within(this.#options.commitTimeoutMs, queryText(this.lease.client, text)),
    )
  }

  async #run(text: string, values?: unknown[]): Promise<PgResultLike> {
    try {
      const answer = await this.answered(queryText(this.lease.client, text, values))
      this.#proven()
      if (!Array.isArray(answer)) return answer // pg answers several statements with an array
      const results = answer as PgResultLike[]
      const ticket = results.find(result => result.rows?.[0] && 'pg_batch_xid' in result.rows[0])
      if (ticket) this.#noteTicket(Object.values(ticket.rows[0]!))
      return results.at(-1)!
    } catch (error) {
      this.#noteFailure(error)
      throw this.explained(error)
    }
  }

  /** Returns the error that says what a callback has done to the transaction, or the same error. */
  explained(error: unknown): unknown {
    if (saysEnded(error)) {
      this.#isDoubtful = true
      this.#wasEnded = true
      return new TransactionEnded(this.#lentTo)
    }
    return this.#isDoubtful && saysFailed(error) ? new SwallowedError(this.#lentTo) : error
  }

  /** Marks the client as broken if its connection does not survive the error. */
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
