import { AsyncResource } from 'node:async_hooks'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/guard-pool.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import { refusePromise } from '../connection/transaction/callbacks/callback-limits.ts'
import { PgBatchError } from '../errors.ts'
import { onAbort } from '../streams/on-abort.ts'
import { Stopping } from '../writable/stop/stopping.ts'
import { CallbackError, toPgBatchError } from '../write/faults/failure.ts'
import { laneNumber } from '../write/rows/split-by-lane.ts'
import type { PgRowWriterOptions, RowWriterStats, WrittenRow } from './options.ts'
import { type ResolvedRowWriterOptions, resolveRowWriterOptions } from './resolve-options.ts'
import { RowQueue } from './row-queue.ts'
import { RowsWriter } from './write-rows.ts'

/** A row that `write` was called with, until its promise is settled. */
interface HeldRow<Row, Returned> {
  readonly row: Row
  /** Counts the rows that were accepted, from 1. */
  readonly number: number
  readonly resolve: (written: WrittenRow<Returned>) => void
  readonly reject: (error: PgBatchError) => void
  /** Stops listening to the row's own signal. */
  unlisten: (() => void) | undefined
}

/** A `flush` or an `end` that waits for the rows that were held when it was called. */
interface Wait {
  /** The number of the last row that was accepted before. */
  readonly upTo: number
  left: number
  readonly done: () => void
}

/**
 * Writes single rows for many callers, who share batches. `write` resolves when its row is committed, and
 * rejects with the error of this row alone. For request handlers and services.
 *
 *     open ──end()──▶ ending ──every row is settled──▶ closed
 *       └──destroy(), a missing table──▶ stopping ──▶ closed
 *
 * A failure that retries do not fix rejects the rows of its transaction, and the writer continues with the
 * next one. Only `end`, `destroy` and a table that does not exist end it.
 *
 * @typeParam Row an object with a key for each column
 * @typeParam Returned the columns of `returning`, as `write` resolves with them
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts
 *   another
 */
export class PgRowWriter<Row = Record<string, unknown>, Returned = void> implements AsyncDisposable {
  readonly #options: ResolvedRowWriterOptions<Row>
  readonly #ownPool: OwnPool | undefined
  readonly #rows: RowsWriter<Row>
  /** One for each lane, or one for all of them. */
  readonly #queues: RowQueue<HeldRow<Row, Returned>>[]
  #pending = 0
  readonly #waits = new Set<Wait>()
  readonly #counts = { received: 0, committed: 0, unchanged: 0, rejected: 0, transactions: 0, bytes: 0 }
  /** Callbacks run in the AsyncLocalStorage context in which the writer was made, and not in a caller's. */
  readonly #scope = new AsyncResource('PgRowWriter')
  readonly #stopping = new Stopping()
  /** Why `write` is refused. */
  #ended: PgBatchError | undefined
  #closed: Promise<void> | undefined
  #unlisten = (): void => {}

  constructor(options: PgRowWriterOptions<Row, Returned>) {
    const resolved = resolveRowWriterOptions(options)
    this.#options = resolved
    const { maxCount, maxWaitMs, signal, write } = resolved
    const { pool, connection, concurrency, statementTimeoutMs, laneOf } = write
    this.#ownPool = pool ? undefined : new OwnPool(connection!, concurrency, statementTimeoutMs)
    const usedPool: PgPoolLike = pool ?? this.#ownPool!
    guardPool(usedPool)
    this.#rows = new RowsWriter(write, usedPool, this.#stopping.signals)
    const [queues, workers] = laneOf ? [concurrency, 1] : [1, concurrency]
    this.#queues = Array.from({ length: queues }, () => {
      const onOpen = (): void => this.#rows.expect(maxWaitMs)
      const writeHeld = (held: readonly HeldRow<Row, Returned>[]): Promise<void> => this.#write(held)
      return new RowQueue({ maxCount, maxWaitMs, workers, scope: this.#scope, onOpen, write: writeHeld })
    })
    if (signal?.aborted) this.destroy(asError(signal.reason))
    else if (signal) this.#unlisten = onAbort(signal, () => this.destroy(asError(signal.reason)))
  }

  /** Counts up to this moment. */
  get stats(): Readonly<RowWriterStats> {
    const { received, committed, unchanged, rejected, transactions, bytes } = this.#counts
    return {
      rowsReceived: received,
      rowsCommitted: committed,
      rowsUnchanged: unchanged,
      rowsRejected: rejected,
      rowsPending: this.#pending,
      transactions,
      bytesSent: bytes,
    }
  }

  /**
   * Writes a row, and resolves after its COMMIT. The row must not be changed before that.
   *
   * Rejects with this row's PgBatchError: the server refused it, or its transaction failed, and `outcome`
   * says whether it may be in the table. With QUEUE_FULL the row was not accepted, because `maxPending` rows
   * are held.
   *
   * @param options.signal takes the row out if it aborts before the row is sent, which rejects with ABORTED.
   *   Aborting it later changes nothing
   */
  write(row: Row, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<WrittenRow<Returned>> {
    return new Promise((resolve, reject) => {
      const { maxPending } = this.#options
      if (this.#ended) throw this.#ended
      if (signal?.aborted) throw abortedRow(signal)
      if (this.#pending >= maxPending) {
        const held = `The writer holds ${maxPending} rows, as many as \`maxPending\` allows`
        const reason = `${held}: write again later`
        throw new PgBatchError('QUEUE_FULL', reason, { outcome: 'not-sent', retryable: true })
      }
      const queue = this.#queueOf(row)
      const number = ++this.#counts.received
      const held: HeldRow<Row, Returned> = { row, number, resolve, reject, unlisten: undefined }
      this.#pending++
      if (signal) held.unlisten = onAbort(signal, () => this.#takeOut(held, queue, signal))
      queue.add(held)
    })
  }

  /**
   * Sends what is waiting, and resolves when every row that was accepted before is settled. Never rejects.
   */
  flush(): Promise<void> {
    this.#scope.runInAsyncScope(() => {
      for (const queue of this.#queues) queue.flush()
    })
    return this.#settled()
  }

  /**
   * Accepts no further row, writes those that it has, and resolves when every one of them is settled and its
   * own pool is closed. Never rejects: each row's promise says how it went.
   */
  end(): Promise<void> {
    if (!this.#closed) {
      this.#ended = new PgBatchError('ABORTED', 'The writer has ended', { outcome: 'not-sent' })
      this.#closed = this.flush().then(() => this.#close())
    }
    return this.#closed
  }

  /**
   * Accepts no further row, rolls back what is in flight, and rejects every row that is not committed. Takes
   * at most half a second; `end()` then resolves when that is done.
   */
  destroy(error?: Error): void {
    if (this.#stopping.hasBegun) return
    const ended = error instanceof PgBatchError && error.outcome === 'not-sent' ? error : destroyed(error)
    this.#ended = ended
    this.#stopping.begin(error ?? ended, ended)
    for (const held of this.#queues.flatMap(queue => queue.takeAll())) this.#reject(held, ended)
    const stopped = this.#settled().finally(() => this.#stopping.done())
    this.#closed ??= stopped.then(() => this.#close())
  }

  /** Does what `end` does, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  #queueOf(row: Row): RowQueue<HeldRow<Row, Returned>> {
    const { laneOf, concurrency } = this.#options.write
    if (!laneOf) return this.#queues[0]!
    try {
      const lane = laneOf(row)
      refusePromise('laneOf', lane)
      return this.#queues[laneNumber(lane, concurrency)]!
    } catch (cause) {
      throw toPgBatchError(new CallbackError('laneOf', cause), 'not-sent', {}, 'write')
    }
  }

  /** Writes a batch, and settles each of its rows. */
  async #write(batch: readonly HeldRow<Row, Returned>[]): Promise<void> {
    for (const held of batch) held.unlisten?.()
    try {
      const { results, bytes } = await this.#rows.write(batch.map(({ row }) => row))
      this.#counts.transactions++
      this.#counts.bytes += bytes
      for (const [index, held] of batch.entries()) {
        const result = results[index]!
        if (result instanceof PgBatchError) this.#reject(held, result)
        else this.#resolve(held, result as WrittenRow<Returned>)
      }
    } catch (thrown) {
      const error = thrown as PgBatchError
      for (const held of batch) this.#reject(held, error)
      if (error.code === 'TABLE_NOT_FOUND') this.destroy(error)
    }
  }

  /** Takes out a row that waits: once it is sent, nothing listens to its signal. */
  #takeOut(held: HeldRow<Row, Returned>, queue: RowQueue<HeldRow<Row, Returned>>, signal: AbortSignal): void {
    queue.remove(held)
    this.#reject(held, abortedRow(signal))
  }

  #resolve(held: HeldRow<Row, Returned>, { action, row }: WrittenRow<Returned>): void {
    if (action === 'unchanged') this.#counts.unchanged++
    else this.#counts.committed++
    held.resolve(row === undefined ? { action } : { action, row })
    this.#release(held)
  }

  #reject(held: HeldRow<Row, Returned>, error: PgBatchError): void {
    this.#counts.rejected++
    held.reject(error)
    this.#release(held)
  }

  /** Call it after the row is settled: what follows a `flush` is to find each row's outcome. */
  #release({ number, unlisten }: HeldRow<Row, Returned>): void {
    unlisten?.()
    this.#pending--
    for (const wait of this.#waits) {
      if (number > wait.upTo || --wait.left > 0) continue
      this.#waits.delete(wait)
      wait.done()
    }
  }

  /** Resolves when every row that is held now is settled. */
  #settled(): Promise<void> {
    const left = this.#pending
    if (left === 0) return Promise.resolve()
    return new Promise(done => this.#waits.add({ upTo: this.#counts.received, left, done }))
  }

  async #close(): Promise<void> {
    this.#unlisten()
    for (const queue of this.#queues) queue.takeAll()
    await Promise.all(this.#queues.map(queue => queue.idle()))
    await this.#rows.close()
    await this.#ownPool?.end().catch(() => {})
  }
}

function abortedRow(signal: AbortSignal): PgBatchError {
  const details = { outcome: 'not-sent', cause: signal.reason } as const
  return new PgBatchError('ABORTED', 'The signal of the row was aborted before the row was sent', details)
}

function destroyed(cause: Error | undefined): PgBatchError {
  return new PgBatchError('ABORTED', 'The writer was destroyed', { outcome: 'not-sent', cause })
}

function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error('The signal of the writer was aborted', { cause: reason })
}
