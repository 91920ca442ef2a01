import type { PgPoolLike } from '../../connection/pg-types.ts'
import { Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { beginEarly } from '../../connection/transaction/begin-early.ts'
import type { TransactionOptions } from '../../connection/transaction/opening.ts'
import { MAX_BYTES_BEFORE_COMMIT, Transaction } from '../../connection/transaction/transaction.ts'
import type { OpenOutcomes } from '../outcome/open-outcomes.ts'

/**
 * How long a transaction that has begun waits for its batch. Long enough that a source which answers to a
 * commit can deliver; short enough that neither VACUUM nor a pooler notices.
 */
const KEEP_MS = 20

/** How long a caller who wants the client of such a transaction waits at most. */
const LOOK_MS = 5

/** How long before a batch is expected its transaction begins: a round trip of most networks. */
const LEAD_MS = 15

export interface TransactionPoolOptions {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly limits: TransactionOptions
  readonly openOutcomes: OpenOutcomes
  /** A transaction may begin before its batch is there, because nothing is asked before the rows. */
  readonly beginsEarly: boolean
}

/**
 * Begins the transactions of a stream, and ends them. A batch whose transaction has begun before takes one
 * round trip: the transaction's id is known, so that rows and COMMIT may travel together. A transaction
 * begins early
 *
 *     with the COMMIT before it     when batches come quickly one after the other
 *     shortly before its batch      when the source of batches has announced it
 *
 * and is rolled back when its batch does not come. So a stream of few batches leaves nothing idle.
 */
export class TransactionPool {
  readonly #options: TransactionPoolOptions
  /** Transactions that have begun and wait for a batch. */
  readonly #kept = new Map<Transaction, NodeJS.Timeout>()
  readonly #ending = new Set<Promise<void>>()
  #beginsEarly: boolean
  #inUse = 0
  #committedAt = Number.NEGATIVE_INFINITY
  /** The last transaction was needed within `KEEP_MS` of the COMMIT before it. */
  #isQuick = false
  /** Begins a transaction early. */
  #timer: NodeJS.Timeout | undefined
  #preparing: Promise<void> | undefined
  #isClosed = false

  constructor(options: TransactionPoolOptions) {
    this.#options = options
    this.#beginsEarly = options.beginsEarly && options.limits.ticketed
  }

  /**
   * Returns a transaction for a batch that is to be sent now; `release` it.
   * @throws what the pool throws
   */
  async begin(): Promise<Transaction> {
    const { pool, signals, limits } = this.#options
    signals.stop.throwIfAborted()
    this.#isQuick = performance.now() - this.#committedAt <= KEEP_MS
    clearTimeout(this.#timer)
    this.#inUse++
    try {
      await this.#preparing // it may have the pool's last client
      const ready = this.#takeKept()
      return ready ?? new Transaction(await Lease.take(pool, signals, limits.statementTimeoutMs), limits)
    } catch (error) {
      this.#inUse--
      throw error
    }
  }

  /** Takes a transaction back that has ended, and keeps the one that has begun with its COMMIT. */
  release({ state, next, lease }: Transaction): void {
    this.#inUse--
    if (state === 'committed') this.#committedAt = performance.now()
    if (next) this.#keep(next, KEEP_MS)
    else lease.release()
  }

  /**
   * Returns true if the next transaction is to begin with the COMMIT that is sent now.
   * @param bytes the rows of the one that commits. If the next has as many, and COMMIT has to wait for the
   *   answer to them, it gains nothing by an early beginning
   */
  expectsNext(bytes: number): boolean {
    return this.#isQuick && bytes <= MAX_BYTES_BEFORE_COMMIT && this.#mayBeginEarly
  }

  /** Notes that a batch will come in about so many milliseconds. */
  expect(inMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#beginsEarly || !Number.isFinite(inMs)) return
    this.#timer = setTimeout(() => this.#prepare(), Math.max(0, inMs - LEAD_MS))
  }

  /** Notes that no further batch comes, except those that are being written. */
  expectNoMore(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const transaction of [...this.#kept.keys()]) this.#end(transaction)
  }

  /** Resolves when none is open. Call it when nothing is being written any more. */
  async close(): Promise<void> {
    this.expectNoMore()
    await this.#preparing?.catch(() => {})
    await Promise.all(this.#ending)
  }

  get #mayBeginEarly(): boolean {
    const { pool, openOutcomes } = this.#options
    // a caller who waits for a client of the pool comes first
    return this.#beginsEarly && !this.#isClosed && pool.waitingCount === 0 && openOutcomes.areNone
  }

  /** Begins a transaction, unless one that is under way will bring the next one along. */
  #prepare(): void {
    if (!this.#mayBeginEarly || this.#inUse + this.#kept.size > 0 || this.#preparing) return
    const preparing = this.#beginOne().finally(() => {
      this.#preparing = undefined
    })
    preparing.catch(() => {}) // if the batch comes meanwhile, it meets the error
    this.#preparing = preparing
  }

  async #beginOne(): Promise<void> {
    const { pool, signals, limits } = this.#options
    const lease = await Lease.take(pool, signals, limits.statementTimeoutMs)
    const transaction = await beginEarly(lease, limits)
    if (transaction) {
      this.#keep(transaction, LEAD_MS + KEEP_MS)
    } else {
      this.#beginsEarly = lease.broken !== undefined
      lease.release()
    }
  }

  #takeKept(): Transaction | undefined {
    for (const [transaction, timer] of this.#kept) {
      clearTimeout(timer)
      this.#kept.delete(transaction)
      if (!transaction.lease.broken) return transaction
      transaction.lease.release()
    }
    return undefined
  }

  /** Keeps a transaction, unless a caller waits for a client of the pool meanwhile. */
  #keep(transaction: Transaction, ms: number): void {
    if (this.#isClosed || ms <= 0 || this.#options.pool.waitingCount !== 0) {
      this.#end(transaction)
      return
    }
    const again = setTimeout(() => this.#keep(transaction, ms - LOOK_MS), Math.min(ms, LOOK_MS))
    this.#kept.set(transaction, again)
  }

  #end(transaction: Transaction): void {
    clearTimeout(this.#kept.get(transaction))
    this.#kept.delete(transaction)
    const ending = transaction.rollback().finally(() => {
      transaction.lease.release()
      this.#ending.delete(ending)
    })
    this.#ending.add(ending)
  }
}
