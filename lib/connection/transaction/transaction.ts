import { BoundRows, type BoundStatement, type BoundValue } from '../bound-rows.ts'
import { CopyIn } from '../copy-in.ts'
import { DeadlineError } from '../deadline-error.ts'
import type { PgTransactionClient } from '../pg-transaction-client.ts'
import type { PgResultLike } from '../pg-types.ts'
import { takesSubmittables } from '../pool/driver-modes.ts'
import type { Lease } from '../pool/lease.ts'
import { lastResult, queryText } from '../query-text.ts'
import { connectionSurvives } from '../server-error.ts'
import { SimpleQuery } from '../simple-query.ts'
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
  /** Each statement sees what others have committed before it, whatever the session's isolation level is. */
  readonly readCommitted?: boolean
  /** Without tickets, a savepoint proves that the transaction has not ended; false without savepoints. */
  readonly savepointed?: boolean
}

/**
 * How long the server has to cancel a statement, which keeps the connection, before the connection is ended.
 */
const CANCEL_GRACE_MS = 1000

/**
 * With more bytes than this in front of it, COMMIT waits for the answer to them: the round trip no longer
 * shows, and what is known about a lost COMMIT counts from when it was sent.
 */
const MAX_BYTES_BEFORE_COMMIT = 1024 * 1024

/** A transaction whose first statements were sent by the one before it. */
interface Begun {
  readonly ticket: TransactionTicket
  /** When the ticket was received. */
  readonly ticketAt: number
}

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
  #preamble: string[] = []
  /** BEGIN travels behind COMMIT, see `beginNext`. */
  #beginsNext = false
  #next: Transaction | undefined

  /** @param begun set where the server has begun the transaction already */
  constructor(lease: Lease, options: TransactionOptions, begun?: Begun) {
    this.lease = lease
    this.#options = options
    if (begun) {
      this.ticket = begun.ticket
      this.#ticketAt = begun.ticketAt
    } else this.#preamble = openingStatements(options)
  }

  /**
   * Begins a transaction before its first statement is known. Resolves to undefined where that is of no use:
   * BEGIN has failed, or the first statement decides what the transaction sees.
   */
  static async beginEarly(lease: Lease, options: TransactionOptions): Promise<Transaction | undefined> {
    const opening = new Transaction(lease, options)
    await opening.begin().catch(() => {})
    const { ticket } = opening
    if (ticket?.isReadCommitted && takesSubmittables(lease.client)) {
      return new Transaction(lease, options, { ticket, ticketAt: opening.#ticketAt })
    }
    await opening.rollback()
    return undefined
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
    this.#state = 'open'
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
    if (this.#state === 'committed') return // together with the last rows
    if (this.#state === 'fresh') {
      await this.rollback()
      this.#state = 'committed'
      return
    }
    await this.begin()
    const text = this.#commitText()
    this.#commitSent()
    if (this.#beginsNext) return this.#committedBy(SimpleQuery.open(this.lease.client, text))
    const answer = queryText(this.lease.client, text)
    await this.#committed(answer.then(results => lastResult(results).command))
  }

  /**
   * Lets the next transaction begin on the same client, in the query string of this one's COMMIT. Its id is
   * then known before its first rows are sent. Not for clients that a callback has had, and not where the
   * first statement decides what the transaction sees.
   */
  beginNext(): void {
    this.#beginsNext = !this.#isDoubtful && takesSubmittables(this.lease.client)
  }

  /** The transaction that has begun with this one's COMMIT, which has the lease now. */
  get next(): Transaction | undefined {
    return this.#next
  }

  /**
   * Returns whether COMMIT may travel behind this many bytes of rows: a callback has not had the client, and
   * the transaction's id is known. If it was not, a lost answer would leave nothing to ask the server for.
   */
  mayCommitBehind(bytes: number): boolean {
    const isKnown = this.ticket !== undefined && !this.#isDoubtful
    return isKnown && bytes <= MAX_BYTES_BEFORE_COMMIT && takesSubmittables(this.lease.client)
  }

  /**
   * Ends a COPY and commits, without waiting in between. The server does not run COMMIT if the COPY fails:
   * the statement in front of COMMIT then fails as well, and ends the query string. Ask `mayCommitBehind`
   * first.
   */
  async endCopyAndCommit(copy: CopyIn): Promise<void> {
    const commit = copy.endBefore(this.#commitText())
    this.#commitSent()
    await this.#commitBehind(this.copyAnswered(copy.settled), commit)
  }

  /**
   * Runs a statement for one set of parameters and commits, without waiting in between, as `endCopyAndCommit`
   * does. Resolves to how many rows the statement has changed.
   */
  async runAndCommit(text: string, values: readonly BoundValue[]): Promise<number> {
    await this.begin()
    const statement = { text, rows: [values], returns: false }
    const { rows, next } = BoundRows.openBefore(this.lease.client, [statement], this.#commitText())
    this.#commitSent()
    rows.settled.catch(error => this.#noteFailure(error))
    await this.#commitBehind(this.answered(rows.settled), next)
    return rows.answers[0]!.changed
  }

  /** @param rows settles when the server has answered what travels in front of COMMIT */
  async #commitBehind(rows: Promise<unknown>, commit: SimpleQuery): Promise<void> {
    try {
      await rows
    } catch (error) {
      if (!connectionSurvives(error)) return this.#committed(Promise.reject(error))
      this.#state = 'open' // COMMIT did not run
      await this.answered(commit.settled).catch(refusal => this.#noteFailure(refusal))
      throw error
    }
    await this.#committedBy(commit)
  }

  async #committedBy(commit: SimpleQuery): Promise<void> {
    const isEnd = (tag: string): boolean => tag === 'COMMIT' || tag === 'ROLLBACK'
    const command = commit.settled.then(
      () => commit.tags.find(isEnd),
      error => {
        // what fails behind COMMIT is the beginning of the next transaction
        if (!commit.tags.some(isEnd)) throw error
        this.lease.broken ??= error as Error
        return commit.tags.find(isEnd)
      },
    )
    await this.#committed(command)
    if (!this.#beginsNext || this.lease.broken) return
    const ticket = readTicket(commit.rows.at(-1))!
    this.#next = new Transaction(this.lease, this.#options, { ticket, ticketAt: performance.now() })
  }

  /** From now on only the server knows the outcome. */
  #commitSent(): void {
    this.#state = 'committing'
    this.watch = new ServerWatch(this.#ticketAt, performance.now())
  }

  /** @param answer resolves to the command tag of COMMIT, and to ROLLBACK where that is what it did */
  async #committed(answer: Promise<string | undefined>): Promise<void> {
    try {
      const command = await this.lease.within(this.#options.commitTimeoutMs, answer)
      if (command === 'ROLLBACK') {
        this.#state = 'rolled-back'
        // the answer may be that of a callback's own ROLLBACK, with COMMIT's answer still to come
        if (this.#isDoubtful || this.#beginsNext) this.lease.broken ??= new TransactionEnded(this.#lentTo)
        throw new SwallowedError(this.#lentTo)
      }
      this.#state = 'committed'
    } catch (error) {
      if (!(error instanceof DeadlineError)) this.watch!.lost(performance.now())
      if (saysEnded(error) || saysFailed(error)) {
        this.#state = 'open' // COMMIT did not run
        throw this.explained(error)
      }
      if (saysRolledBack(error)) this.#state = 'rolled-back'
      else if (!(error instanceof SwallowedError)) this.lease.broken ??= error as Error
      throw error
    }
  }

  /** Returns the query string that commits. @throws what has ended the connection */
  #commitText(): string {
    if (this.lease.broken) throw this.lease.broken
    const waiting = this.#preamble.splice(0)
    this.#beginsNext &&= this.ticket?.isReadCommitted === true
    const next = this.#beginsNext ? openingStatements(this.#options) : []
    return [...waiting, ...this.#provenCommit(), ...next].join('; ')
  }

  #provenCommit(): string[] {
    if (this.ticket) return [`SELECT ${this.proof}`, 'COMMIT']
    return this.#options.savepointed ? [`RELEASE SAVEPOINT ${PROOF_SAVEPOINT}`, 'COMMIT'] : ['COMMIT']
  }

  /**
   * Rolls back; never throws. Marks a client that cannot answer as broken. Where something else may have
   * ended the transaction, asks in the same query string how it has ended.
   */
  async rollback(): Promise<void> {
    if (this.#state === 'fresh' && this.ticket) return this.#endUnused()
    if (this.#state !== 'open') return
    await this.#rollBack()
    // what has ended the transaction may have left the client out of step with the server
    if (this.#wasEnded) this.lease.broken ??= new TransactionEnded(this.#lentTo)
  }

  /** Ends a transaction that has begun, and in which nothing was sent. */
  async #endUnused(): Promise<void> {
    if (this.lease.broken) return
    await this.#end('ROLLBACK').catch(error => {
      this.lease.broken ??= error as Error
    })
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

/** Returns the statements that begin a transaction. */
function openingStatements(options: TransactionOptions): string[] {
  const { ticketed, savepointed, endless, readCommitted, statementTimeoutMs } = options
  const begin = readCommitted ? 'BEGIN ISOLATION LEVEL READ COMMITTED' : 'BEGIN'
  if (ticketed) return [begin, ticketStatement(endless ? undefined : statementTimeoutMs)]
  return savepointed ? [begin, `SAVEPOINT ${PROOF_SAVEPOINT}`] : [begin]
}
