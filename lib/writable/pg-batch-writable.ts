import { AsyncResource } from 'node:async_hooks'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/guard-pool.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import { PgBatchError } from '../errors.ts'
import { BATCH_OPENS } from '../streams/batch-opens.ts'
import { discard } from '../streams/discard.ts'
import { markNotFinished } from '../streams/not-finished.ts'
import type { Outcome, Stats } from '../types.ts'
import { ItemTable } from '../values/items/item-table.ts'
import { confirmPositions } from '../write/checkpoint/confirm-positions.ts'
import { toPgBatchError, withOutcome } from '../write/faults/failure.ts'
import { Lanes } from '../write/lanes.ts'
import { openWriting, type Writing } from '../write/open-writing.ts'
import { OpenOutcomes } from '../write/outcome/open-outcomes.ts'
import { DeadLetterStream } from '../write/rejects/dead-letter-stream.ts'
import type { Batch } from '../write/rows/batch.ts'
import { splitByLane } from '../write/rows/split-by-lane.ts'
import { writeWholeLoad } from '../write/whole-load/write-whole-load.ts'
import { writeBatches } from '../write/write-batches.ts'
import type { NextBatch, Progress } from '../write/write-context.ts'
import { ArrayWritable, notAnArray } from './array-writable.ts'
import { laneChooser } from './choose-lane.ts'
import { EventSender } from './event-sender.ts'
import { Ledger } from './ledger.ts'
import type { PgBatchWritableOptions } from './options.ts'
import { type ResolvedWritableOptions, resolveWritableOptions } from './resolve/resolve-options.ts'
import { settle } from './settle.ts'
import { outcomeOfAbort, whenAborted } from './stop/abort.ts'
import { EarlyEnd } from './stop/early-end.ts'
import { Stopping } from './stop/stopping.ts'

/** The reason for which everything stops at the end of a stream that succeeded. */
const FINISHED = new Error('The stream has finished')

/** Batches in the stream's own buffer, besides those that lanes hold. Node's default is 16. */
const WRITABLE_BATCHES = 1

/**
 * Writes arrays of items into a table. Each array, its `inTransaction` included, is committed in one
 * transaction or not at all. 'finish', and with it the end of a `pipeline()`, comes only after every array is
 * committed.
 *
 * Make it the last argument of `pipeline()`. `chain()` of stream-chain does not wait for its last stream, so
 * this stream belongs after the chain:
 *
 *     pipeline(source, chain([…, batching]), sink)  // resolves after the last COMMIT
 *     pipeline(source, chain([…, batching, sink]))  // wrong: resolves before it, and a later failure is an
 *                                                   // uncaught exception
 *
 * A write callback means that a batch was accepted, 'commit' that it is in the table. A transaction takes
 * further batches while they are ready, up to 100,000 rows, 6 MiB or a second, and commits at once when none
 * is ready.
 *
 * A failure that retries do not fix destroys the stream with a {@link PgBatchError}. Its `outcome` is the
 * outcome of the batch's rows. Batches before it in its lane are committed. Destroying the stream rolls back
 * what is in flight and takes at most half a second, or as long as the dead letter takes the rejected rows of
 * what is committed.
 *
 * @typeParam Item what the written arrays hold
 * @typeParam Row what `toRow` makes of an item: an object with a key for each column
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts
 *   another
 */
export class PgBatchWritable<Item = Record<string, unknown>, Row = Item> extends ArrayWritable<Item> {
  readonly #options: ResolvedWritableOptions<Item>
  readonly #pool: PgPoolLike
  readonly #ownPool: OwnPool | undefined
  readonly #deadLetter: DeadLetterStream | undefined
  readonly #laneOf: ((item: Item) => string | number) | undefined
  readonly #lanes: Lanes<Item>
  readonly #events: EventSender<Item>
  readonly #ledger = new Ledger<Item>()
  /** Callbacks run in the AsyncLocalStorage context in which the stream was made. */
  readonly #scope = new AsyncResource('PgBatchWritable')
  readonly #stopping = new Stopping()
  /** The outcomes of the transactions that failed. */
  readonly #failures = new Set<Outcome>()
  readonly #earlyEnd = new EarlyEnd({
    stopping: this.#stopping,
    stopLanes: () => this.#lanes.stop(),
    destroy: error => this.destroy(error),
  })
  /** The error of an abort by the option `signal`. */
  #aborted: PgBatchError | undefined
  /** The callback of the batch that waits for room. */
  #withheld: ((error?: Error | null) => void) | undefined
  #writing: Promise<Writing<Item>> | undefined

  constructor(options: PgBatchWritableOptions<Item, Row>) {
    const resolved = resolveWritableOptions(options)
    super({ objectMode: true, highWaterMark: WRITABLE_BATCHES })
    this.#options = resolved
    const { pool, connection, concurrency, statementTimeoutMs, deadLetterStream, signal, gracefulSignal } =
      resolved
    this.#ownPool = pool ? undefined : new OwnPool(connection!, concurrency, statementTimeoutMs)
    this.#pool = pool ?? this.#ownPool!
    guardPool(this.#pool)
    this.#events = new EventSender(this, resolved.table)
    this.#deadLetter = deadLetterStream && new DeadLetterStream(deadLetterStream)
    this.#laneOf = laneChooser(resolved)
    const write = resolved.singleTransaction ? writeWholeLoad<Item> : writeBatches<Item>
    this.#lanes = new Lanes<Item>({
      count: concurrency,
      keyed: this.#laneOf !== undefined,
      patienceMs: resolved.patienceMs,
      write: (first, next) => this.#scope.runInAsyncScope(() => this.#writeLane(write, first, next)),
    })
    this.on('pipe', source => source.on(BATCH_OPENS, this.#onBatchOpens))
    this.on('unpipe', source => source.off(BATCH_OPENS, this.#onBatchOpens))
    if (signal) whenAborted(signal, this, () => this.#abort(signal.reason))
    if (gracefulSignal) whenAborted(gracefulSignal, this, () => this.#earlyEnd.ask(gracefulSignal.reason))
  }

  /** A batch has opened upstream: its transaction may begin before it comes. */
  readonly #onBatchOpens = (maxWaitMs: number): void => {
    this.#writing?.then(
      ({ transactions }) => transactions.expect(maxWaitMs),
      () => {},
    )
  }

  /**
   * Counts up to this moment, and what the stream is doing. `rowsReceived` is always the sum of the other
   * five `rows…`. A plain object, cheap to make.
   */
  get stats(): Readonly<Stats> {
    return this.#ledger.statsOf(this)
  }

  /**
   * True if rows that are counted as pending may be committed: the server has not answered their COMMIT.
   * Final once the stream is closed.
   * @internal
   */
  get mayHaveCommittedMore(): boolean {
    return this.#failures.has('unknown')
  }

  override _write(items: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!Array.isArray(items) && !(items instanceof ItemTable)) {
      callback(notAnArray(items))
      return
    }
    if (items.length === 0) {
      callback()
      return
    }
    const batch = this.#ledger.receive(items)
    let room: Promise<unknown> | undefined
    try {
      room = this.#laneOf ? this.#scope.runInAsyncScope(() => this.#offer(batch)) : this.#offer(batch)
    } catch (error) {
      this.#ledger.addPending(batch)
      callback(toPgBatchError(error, 'not-sent', { batchId: batch.id }, 'write'))
      return
    }
    if (!room) {
      callback()
      return
    }
    this.#withheld = callback
    room.then(() => this.#answer())
  }

  /** Queues a batch, or each lane's part of it. Returns undefined, or what resolves when lanes have room. */
  #offer(batch: Batch<Item>): Promise<unknown> | undefined {
    const parts = this.#laneOf
      ? splitByLane(batch, this.#laneOf, this.#options.concurrency)
      : [{ part: batch, lane: 0 }]
    const waits = parts.map(({ part, lane }) => {
      this.#ledger.addPending(part)
      return this.#lanes.offer(part, lane)
    })
    return waits.some(Boolean) ? Promise.all(waits) : undefined
  }

  /** Calls the withheld write callback, once. */
  #answer(error?: Error | null): void {
    const callback = this.#withheld
    this.#withheld = undefined
    callback?.(error)
  }

  /** Writes what a lane has ready. A failure of it destroys the stream. */
  async #writeLane<First extends Batch<Item> | undefined>(
    write: (
      first: First,
      next: NextBatch<Item>,
      writing: Writing<Item>,
    ) => AsyncGenerator<Progress<Item>, void>,
    first: First,
    next: NextBatch<Item>,
  ): Promise<void> {
    const lane = {}
    try {
      for await (const progress of write(first, next, await this.#open())) {
        this.#ledger.note(progress, lane)
        await this.#report(progress)
      }
    } catch (error) {
      this.#failures.add((error as PgBatchError).outcome)
      this.#earlyEnd.fail(error as Error)
      throw error
    } finally {
      this.#ledger.settles(lane)
    }
  }

  /** Emits the events of what a lane has done; does what follows a COMMIT. */
  async #report(progress: Progress<Item>): Promise<void> {
    if (progress.kind === 'retry') {
      const { error, attempt, delayMs } = progress
      this.#events.retry({ error, attempt, delayMs })
    } else if (progress.kind === 'committed') {
      const { deadLetterFile } = await this.#open()
      await settle(progress.committed, progress.attempts, {
        ...this.#options,
        events: this.#events,
        deadLetterStream: this.#deadLetter,
        deadLetterFile,
        cut: this.#stopping.cut,
      })
    }
  }

  /** Introspects the table and opens the dead letter, once. */
  #open(): Promise<Writing<Item>> {
    this.#writing ??= this.#scope.runInAsyncScope(() =>
      openWriting(this.#options, {
        pool: this.#pool,
        signals: this.#stopping.signals,
        settleSignals: { stop: this.#stopping.cut, kill: this.#stopping.cut },
        openOutcomes: new OpenOutcomes(),
        onRetry: retry => {
          this.#ledger.retries(this)
          this.#events.retry(retry)
        },
        onEvolve: evolve => this.#events.evolve(evolve),
      }).finally(() => this.#ledger.settles(this)),
    )
    return this.#writing
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#lanes.end()
    // opened here too, so that an input without a single batch reports a missing table
    this.#open()
      .then(async writing => {
        writing.transactions.expectNoMore()
        // an empty input replaces the rows of the table, too
        const isEmpty = this.#options.replace && this.stats.batchesReceived === 0
        if (isEmpty) await this.#writeLane(writeWholeLoad, undefined, async () => undefined)
        await this.#lanes.idle()
        const error = await this.#earlyEnd.error(this.stats.rowsPending)
        if (error) throw error
        await writing.transactions.close()
        await confirmPositions(writing)
      })
      .then(
        () => callback(),
        async error => callback((await this.#earlyEnd.error(this.stats.rowsPending)) ?? error),
      )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const reason = error ?? (this.writableFinished ? FINISHED : new Error('The stream was destroyed'))
    this.#stopping.begin(reason)
    markNotFinished(this)
    // Node answers the writes in its own buffer, and not the one that `_write` was called for
    process.nextTick(() => this.#answer(reason))
    this.#lanes
      .stop()
      .then(() => this.#closeTransactions())
      .then(() => this.#discardPending())
      .then(() => this.#endOwnPool())
      .finally(() => {
        this.#stopping.done()
        this.#deadLetter?.release()
      })
      .then(
        () => callback(this.#withFinalOutcome(error)),
        failure => callback(error ?? failure),
      )
  }

  #abort(cause: unknown): void {
    const message = 'The signal of the stream was aborted'
    this.#aborted = new PgBatchError('ABORTED', message, { outcome: 'rolled-back', cause })
    this.destroy(this.#aborted)
  }

  /** Rolls back what has begun for a batch that does not come. */
  async #closeTransactions(): Promise<void> {
    const writing = await this.#writing?.catch(() => undefined)
    await writing?.transactions.close()
  }

  #discardPending(): void {
    const { onDiscard } = this.#options
    const items = this.#ledger.takePending()
    if (onDiscard && items.length > 0) void this.#scope.runInAsyncScope(() => discard(onDiscard, items))
  }

  /** Ends the stream's own pool. Only a stream that succeeded waits for clients that are still connecting. */
  async #endOwnPool(): Promise<void> {
    if (!this.#ownPool) return
    const ending = this.#ownPool.end()
    const { stop, kill } = this.#stopping.signals
    if (stop.reason === FINISHED) await ending
    else await unlessAborted(ending, kill).catch(() => {})
  }

  /** Gives the error of an abort its outcome, which is known only after every lane has stopped. */
  #withFinalOutcome(error: Error | null): Error | null {
    if (!(error instanceof PgBatchError) || error !== this.#aborted) return error
    return withOutcome(error, outcomeOfAbort(this.stats, this.#failures))
  }
}
