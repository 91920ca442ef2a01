import { CopyIn } from './copy-in.ts'
import type { Lease } from './lease.ts'
import type { PgResultLike } from './pg-types.ts'
import { connectionSurvives } from './server-error.ts'

/** How far a transaction has come: what an error now means for its rows. */
export type TransactionState = 'fresh' | 'open' | 'committing' | 'committed' | 'rolled-back'

/**
 * One transaction on a leased client. BEGIN travels in front of the first statement, and so costs no round trip
 * of its own.
 *
 *     fresh ──first statement──▶ open ──commit()──▶ committing ──COMMIT──▶ committed
 *                                 │                     │
 *                                 └──rollback()─────────┴──ROLLBACK, error──▶ rolled-back
 *
 * A transaction whose connection dies before `commit()` is rolled back by the server. One that dies in
 * `committing` stays there: its outcome is open.
 */
export class Transaction {
  readonly lease: Lease
  #state: TransactionState = 'fresh'
  #preamble = 'BEGIN'

  constructor(lease: Lease) {
    this.lease = lease
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Runs one statement. Without `values` several may be given, separated by semicolons. */
  async query(text: string, values?: unknown[]): Promise<PgResultLike> {
    // parameters need the extended protocol, which takes one statement at a time
    if (values && this.#preamble) await this.#run(this.#takePreamble())
    const result = await this.#run(this.#withPreamble(text), values)
    return Array.isArray(result) ? (result.at(-1) as PgResultLike) : result
  }

  /** Opens a COPY … FROM STDIN; the caller ends or aborts it before the next statement. */
  openCopy(text: string): CopyIn {
    const copy = CopyIn.open(this.lease.client, this.#withPreamble(text))
    copy.settled.catch(error => this.#noteFailure(error))
    return copy
  }

  /** Opens the transaction, where no statement has yet. */
  async begin(): Promise<void> {
    if (this.#preamble) await this.#run(this.#takePreamble())
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
    this.#state = 'committing'
    try {
      const { command } = await this.lease.client.query('COMMIT')
      if (command === 'ROLLBACK') {
        this.#state = 'rolled-back'
        throw new Error(
          'The server rolled back at COMMIT: an earlier error in the transaction went unnoticed',
        )
      }
      this.#state = 'committed'
    } catch (error) {
      if (connectionSurvives(error)) this.#state = 'rolled-back'
      else this.lease.broken ??= error as Error
      throw error
    }
  }

  /** Rolls back what can be rolled back; never throws. A client that cannot answer is marked as broken. */
  async rollback(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'rolled-back'
    if (this.lease.broken) return
    try {
      await this.lease.client.query('ROLLBACK')
    } catch (error) {
      this.lease.broken ??= error as Error
    }
  }

  async #run(text: string, values?: unknown[]): Promise<PgResultLike> {
    this.#state = 'open'
    try {
      return await this.lease.client.query(text, values)
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  /** Marks the client as broken by an error that its connection does not survive. */
  #noteFailure(error: unknown): void {
    if (!connectionSurvives(error)) this.lease.broken ??= error as Error
  }

  #withPreamble(text: string): string {
    this.#state = 'open'
    return this.#preamble ? `${this.#takePreamble()}; ${text}` : text
  }

  #takePreamble(): string {
    const preamble = this.#preamble
    this.#preamble = ''
    return preamble
  }
}
