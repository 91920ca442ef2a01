import { BoundRows, type BoundStatement, type BoundValue } from '../bound-rows.ts'
import { CopyIn } from '../copy-in.ts'
import type { PgResultLike } from '../pg-types.ts'
import { takesSubmittables } from '../pool/driver-modes.ts'
import type { Lease } from '../pool/lease.ts'
import { allResults, lastResult, queryText } from '../query-text.ts'
import { type RowStep, SentStep } from '../row-steps.ts'
import type { SimpleQuery } from '../simple-query.ts'
import { AnswerLimits } from './answer-limits.ts'
import { CallbackEffects } from './callbacks/callback-effects.ts'
import { type Borrower, lendClient } from './callbacks/lend-client.ts'
import { type CommitOutcome, commitAlone, commitBehind, type SentCommit } from './commit-outcome.ts'
import {
  closingStatements,
  followingStatements,
  openingStatements,
  type StatementsAround,
  type TransactionOptions,
} from './opening.ts'
import { FormerPrimary } from './outcome.ts'
import { rollBack } from './roll-back.ts'
import { ServerWatch } from './server-watch.ts'
import { readTicket, type TransactionTicket, ticketRow } from './ticket.ts'
import { isTransaction, PROOF_BY_SAVEPOINT, proofStatement } from './transaction-proof.ts'
import type { TransactionState } from './transaction-state.ts'

/**
 * With more bytes than this in front of it, COMMIT waits for the answer to them: the round trip no longer
 * shows, and what is known about a lost COMMIT counts from when it was sent.
 */
export const MAX_BYTES_BEFORE_COMMIT = 1024 * 1024

/**
 * One transaction on a leased client. BEGIN and savepoints are sent in front of the next statement, so they
 * cost no round trip of their own.
 *
 *     fresh ──first statement──▶ open ──commit()──▶ committing ──COMMIT──▶ committed
 *                                 │                     │
 *                                 └──rollback()─────────┴──ROLLBACK, error──▶ rolled-back
 *
 * After a callback had the client, `rollback()` may find that the callback has ended the transaction. The
 * state is then `committed`, or `lost` where the server cannot say. See {@link TransactionState}.
 */
export class Transaction {
  readonly lease: Lease
  /** How to ask for the outcome on another connection; known once the first statement was answered. */
  ticket: TransactionTicket | undefined
  /** What was seen of the server since COMMIT was sent. */
  watch: ServerWatch | undefined
  readonly answers: AnswerLimits
  readonly #options: TransactionOptions
  readonly #callbacks = new CallbackEffects()
  #state: TransactionState = 'fresh'
  /** The statements that wait for the next one. */
  #preamble: string[]
  /** BEGIN is sent with COMMIT, see `beginNext`. */
  #beginsNext = false
  #next: Transaction | undefined

  /** @param ticket set where the server has begun the transaction already */
  constructor(lease: Lease, options: TransactionOptions, ticket?: TransactionTicket) {
    this.lease = lease
    this.answers = new AnswerLimits(lease, options.statementTimeoutMs)
    this.#options = options
    this.ticket = ticket
    this.#preamble = ticket ? [] : openingStatements(options)
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Several statements may be sent before the first one is answered. */
  get takesSeveral(): boolean {
    return takesSubmittables(this.lease.client)
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

  /**
   * Opens a COPY … FROM STDIN; the caller ends or aborts it before the next statement.
   * @param around statements that run before and after it, in the same query string
   */
  openCopy(statement: string, { before = [], after = [] }: StatementsAround = {}): CopyIn {
    const text = this.#withPreamble([...before, statement, ...after].join('; '))
    const copy = CopyIn.open(this.lease.client, text, statement)
    copy.settled.catch(error => this.lease.noteFailure(error))
    if (this.#callbacks.isProofSent) {
      copy.ready().then(
        () => this.#callbacks.answered(),
        () => {},
      )
    }
    if (this.#options.ticketed) {
      // also when the COPY has failed: under a savepoint the transaction continues
      const note = (): void => {
        this.ticket ??= readTicket(copy.precedingRows[0])
      }
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
    rows.settled.catch(error => this.lease.noteFailure(error))
    return rows
  }

  /** Starts steps that travel together; the caller waits for `settled` of each before the next statement. */
  async openSteps(steps: readonly RowStep[]): Promise<SentStep[]> {
    await this.begin()
    this.#state = 'open'
    const sent = SentStep.open(this.lease.client, steps)
    for (const { settled } of sent) settled.catch(error => this.lease.noteFailure(error))
    return sent
  }

  /**
   * Lends the client to a callback, inside this transaction, see `CallbackClient`. The loan ends with
   * the connection at the latest. If an earlier callback has ended the transaction, fails before it calls
   * this one, whose writes would be committed at once and alone.
   */
  async lend(borrower: Borrower): Promise<void> {
    await this.begin()
    this.#state = 'open' // the callback's statements count, too
    if (this.#callbacks.isDoubtful) await this.#prove()
    this.#callbacks.begin(borrower.option)
    await lendClient(this.lease, borrower, this.answers.statement)
  }

  /** Returns a condition that fails a statement outside of this transaction; read it after `begin`. */
  get proof(): string {
    return this.ticket ? isTransaction(this.ticket.xid) : 'true'
  }

  /** Where `proof` proves nothing, makes the next statement fail if the transaction has ended. */
  proveBefore(): void {
    if (!this.ticket && this.#options.savepointed) this.before(PROOF_BY_SAVEPOINT)
  }

  /**
   * Makes the next statement fail if the callback that had the client has ended the transaction, or has
   * ignored an error. Costs no round trip.
   */
  proveWithNext(): void {
    if (this.ticket) this.before(proofStatement(this.ticket.xid))
    else this.proveBefore()
    if (this.#preamble.length > 0) this.#callbacks.proofSent()
  }

  async #prove(): Promise<void> {
    this.proveWithNext()
    await this.begin()
  }

  /** Sends the statements that wait for the next one; the transaction is open then. */
  async begin(): Promise<void> {
    if (this.#preamble.length > 0) await this.#run(this.#withPreamble(''))
  }

  /** Runs `text` in front of the next statement. */
  before(text: string): void {
    this.#preamble.push(text)
  }

  /** Commits this transaction, and no other. */
  async commit(): Promise<void> {
    if (this.#state === 'committed') return // together with the last rows
    if (this.#state === 'fresh') {
      await this.rollback()
      this.#state = 'committed'
      return
    }
    await this.begin()
    const text = this.#commitText()
    this.#settle(await commitAlone(this.#commitSent(), text))
  }

  /**
   * Lets the next transaction begin on the same client, in the query string of this one's COMMIT. Its id is
   * then known before its first rows are sent. Not for clients that a callback has had, and not where the
   * first statement decides what the transaction sees.
   */
  beginNext(): void {
    this.#beginsNext = !this.#callbacks.isDoubtful && takesSubmittables(this.lease.client)
  }

  /** The transaction that has begun with this one's COMMIT, which has the lease now. */
  get next(): Transaction | undefined {
    return this.#next
  }

  /**
   * Returns whether COMMIT may be sent with this many bytes of rows: a callback has not had the client, and
   * the transaction's id is known. If it was not, a lost answer would leave nothing to ask the server for.
   */
  mayCommitBehind(bytes: number): boolean {
    const isKnown = this.ticket !== undefined && !this.#callbacks.isDoubtful
    return isKnown && bytes <= MAX_BYTES_BEFORE_COMMIT && takesSubmittables(this.lease.client)
  }

  /**
   * Ends a COPY and commits, without waiting in between. The server does not run COMMIT if the COPY fails:
   * the statement in front of COMMIT then fails as well, and ends the query string. Ask `mayCommitBehind`
   * first.
   */
  async endCopyAndCommit(copy: CopyIn): Promise<void> {
    const query = copy.endBefore(this.#commitText())
    await this.#commitBehind(this.answers.copy(copy.settled), query)
  }

  /**
   * Runs a statement for one set of parameters and commits, without waiting in between, as `endCopyAndCommit`
   * does. Resolves to how many rows the statement has changed.
   */
  async runAndCommit(text: string, values: readonly BoundValue[]): Promise<number> {
    await this.begin()
    const statement = { text, rows: [values], returns: false }
    const { rows, next } = BoundRows.openBefore(this.lease.client, [statement], this.#commitText())
    rows.settled.catch(error => this.lease.noteFailure(error))
    await this.#commitBehind(this.answers.statement(rows.settled), next)
    return rows.answers[0]!.changed
  }

  /** Waits for what was sent in front of COMMIT, and for COMMIT. */
  async #commitBehind(rows: Promise<unknown>, query: SimpleQuery): Promise<void> {
    this.#settle(await commitBehind(this.#commitSent(), rows, query, this.answers.statement))
  }

  /** From now on only the server knows the outcome. */
  #commitSent(): SentCommit {
    this.#state = 'committing'
    this.watch = new ServerWatch(this.ticket?.receivedAt ?? Number.POSITIVE_INFINITY, performance.now())
    return {
      lease: this.lease,
      timeoutMs: this.#options.commitTimeoutMs,
      watch: this.watch,
      callbacks: this.#callbacks,
      isProof: this.#callbacks.isDoubtful && this.ticket !== undefined,
      beginsNext: this.#beginsNext,
    }
  }

  /** @throws the error that has kept the transaction from being committed, or from being known to be */
  #settle(outcome: CommitOutcome): void {
    this.#state = outcome.state
    if (outcome.state !== 'committed') throw outcome.error
    if (this.ticket) this.#options.timelines?.note(this.ticket)
    if (outcome.next) this.#next = new Transaction(this.lease, this.#options, outcome.next)
  }

  /** Returns the query string that commits. @throws what has ended the connection, or FormerPrimary */
  #commitText(): string {
    if (this.ticket && this.#options.timelines?.isOver(this.ticket)) this.lease.broken ??= new FormerPrimary()
    if (this.lease.broken) throw this.lease.broken
    const waiting = this.#preamble.splice(0)
    const followed = this.#beginsNext && this.ticket?.isReadCommitted ? this.ticket : undefined
    this.#beginsNext = followed !== undefined
    const next = followed ? followingStatements(followed) : []
    return [...waiting, ...closingStatements(this.#options, this.ticket), ...next].join('; ')
  }

  /** Rolls back what was not committed; never throws. Marks a client that cannot answer as broken. */
  async rollback(): Promise<void> {
    const hasBegun = this.#state === 'open' || (this.#state === 'fresh' && this.ticket !== undefined)
    if (!hasBegun) return
    this.#state = 'rolled-back'
    this.#state = await rollBack(this.lease, {
      timeoutMs: this.#options.commitTimeoutMs,
      ticket: this.ticket,
      savepointed: this.#options.savepointed === true,
      isDoubtful: this.#callbacks.isDoubtful,
    })
    // what has ended the transaction may have left the client out of step with the server
    if (this.#callbacks.haveEnded) this.lease.broken ??= this.#callbacks.endedError()
  }

  async #run(text: string, values?: unknown[]): Promise<PgResultLike> {
    try {
      const answer = await this.answers.statement(queryText(this.lease.client, text, values))
      this.#callbacks.answered()
      this.ticket ??= readTicket(ticketRow(allResults(answer)))
      return lastResult(answer)
    } catch (error) {
      this.lease.noteFailure(error)
      throw this.explained(error)
    }
  }

  /**
   * Returns the error that says what has ended the connection, or what a callback has done to the
   * transaction; or the same error.
   */
  explained(error: unknown): unknown {
    return this.#callbacks.explained(this.lease.explained(error))
  }

  #withPreamble(text: string): string {
    this.#state = 'open'
    const all = text === '' ? this.#preamble : [...this.#preamble, text]
    this.#preamble = []
    return all.join('; ')
  }
}
