import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { Writable } from 'node:stream'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/hand-over.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import { PgBatchError } from '../errors.ts'
import { BATCH_OPENS } from '../streams/batch-opens.ts'
import { discard } from '../streams/discard.ts'
import type { Outcome, Stats } from '../types.ts'
import { confirmPositions } from '../write/checkpoint/confirm-positions.ts'
import { toPgBatchError, withOutcome } from '../write/faults/failure.ts'
import { Lanes } from '../write/lanes.ts'
import { openWriting, type Writing } from '../write/open-writing.ts'
import { DeadLetterStream } from '../write/rejects/dead-letter-stream.ts'
import type { Batch } from '../write/rows/batch.ts'
import { splitByLane } from '../write/rows/split-by-lane.ts'
import { writeWholeLoad } from '../write/whole-load/write-whole-load.ts'
import { writeBatches } from '../write/write-batches.ts'
import type { NextBatch, Progress } from '../write/write-context.ts'
import { outcomeOfAbort, whenAborted } from './abort.ts'
import { Activity } from './activity.ts'
import { copyOf, notAnArray } from './array-input.ts'
import { laneChooser } from './choose-lane.ts'
import { Counts } from './counts.ts'
import { EventSender } from './event-sender.ts'
import type { PgBatchWritableEvents } from './events.ts'
import type { PgBatchWritableOptions } from './options.ts'
import { PendingItems } from './pending-items.ts'
import { type ResolvedWritableOptions, resolveWritableOptions } from './resolve/resolve-options.ts'
import { settle } from './settle.ts'

/** How long the server may take to answer after an abort or a failure; then its connections are ended. */
const STOP_GRACE_MS = 400

/** The reason for which everything stops at the end of a stream that succeeded. */
const FINISHED = new Error('The stream has finished')

/**
 * Batches in the stream's own buffer, besides those that lanes hold. Node's default of 16 would be 16 whole
 * batches.
 */
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
 * what is in flight and takes at most half a second.
 *
 * @typeParam Item what the written arrays hold
 * @typeParam Row what `toRow` makes of an item: an object with a key for each column
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts
 *   another
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only types inherited methods
export class PgBatchWritable<Item = Record<string, unknown>, Row = Item> extends Writable {
  readonly #options: ResolvedWritableOptions<Item>
  readonly #pool: PgPoolLike
  readonly #ownPool: OwnPool | undefined
  readonly #deadLetter: DeadLetterStream | undefined
  readonly #laneOf: ((item: Item) => string | number) | undefined
  readonly #lanes: Lanes<Item>
  readonly #events: EventSender<Item>
  readonly #counts = new Counts()
  readonly #pending = new PendingItems<Item>()
  readonly #activity = new Activity()
  /** Callbacks run in the AsyncLocalStorage context in which the stream was made. */
  readonly #scope = new AsyncResource('PgBatchWritable')
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  /** The outcomes of the transactions that failed. */
  readonly #failures = new Set<Outcome>()
  /** The error of an abort by the option `signal`. */
  #aborted: PgBatchError | undefined
  /** The callback of the batch that waits for room. */
  #withheld: ((error?: Error | null) => void) | undefined
  #writing: Promise<Writing<Item>> | undefined

  constructor(options: PgBatchWritableOptions<Item, Row>) {
    const resolved = resolveWritableOptions(options)
    super({ objectMode: true, highWaterMark: WRITABLE_BATCHES })
    this.#options = resolved
    const { pool, connection, concurrency, statementTimeoutMs, deadLetterStream, signal } = resolved
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
      write: (first, next) => this.#scope.runInAsyncScope(() => this.#writeLane(write, first, next)),
    })
    setMaxListeners(0, this.#stop.signal, this.#kill.signal) // each lane listens, and each wait of a lane
    this.on('pipe', source => source.on(BATCH_OPENS, this.#onBatchOpens))
    this.on('unpipe', source => source.off(BATCH_OPENS, this.#onBatchOpens))
    if (signal) whenAborted(signal, this, () => this.#abort(signal.reason))
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
    const counts = this.#counts.stats
    return {
      ...counts,
      state: this.#activity.stateOf(this, counts.rowsPending),
      oldestPendingMs: this.#pending.oldestMs,
    }
  }

  /**
   * Writes a copy of the array, so that the caller may empty it and fill it again at once. The items
   * themselves are not copied, and must not be changed before they are committed.
   */
  // makes the class a stream to pipeline(), whose types know streams of strings and bytes; no array is
  // `never`
  override write(items: never, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean
  override write(items: WrittenItems<Item>, callback?: WriteCallback): boolean
  override write(items: WrittenItems<Item>, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(items: unknown, ...rest: unknown[]): boolean {
    return super.write(copyOf(items), ...(rest as []))
  }

  /** Ends the stream, after a last array if one is given. Writes a copy of that array, as `write` does. */
  override end(callback?: EndCallback): this
  override end(items: never, encoding?: BufferEncoding | EndCallback, callback?: EndCallback): this
  override end(items: WrittenItems<Item>, callback?: EndCallback): this
  override end(items: WrittenItems<Item>, encoding: BufferEncoding, callback?: EndCallback): this
  override end(items?: unknown, ...rest: unknown[]): this {
    return super.end(copyOf(items), ...(rest as []))
  }

  override _write(items: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!Array.isArray(items)) {
      callback(notAnArray(items))
      return
    }
    if (items.length === 0) {
      callback()
      return
    }
    const batch: Batch<Item> = { id: this.#counts.addReceived(items), count: items.length, items }
    let room: Promise<unknown> | undefined
    try {
      room = this.#laneOf ? this.#scope.runInAsyncScope(() => this.#offer(batch)) : this.#offer(batch)
    } catch (error) {
      this.#pending.add(batch)
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

  /**
   * Queues a batch, or each lane's part of it. Resolves when the lanes have room for another one; at once:
   * undefined.
   */
  #offer(batch: Batch<Item>): Promise<unknown> | undefined {
    const parts = this.#laneOf
      ? splitByLane(batch, this.#laneOf, this.#options.concurrency)
      : [{ part: batch, lane: 0 }]
    const waits = parts.map(({ part, lane }) => {
      this.#pending.add(part)
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
        if (progress.kind === 'retry') this.#activity.failedOnce(lane)
        else this.#activity.settled(lane)
        await this.#note(progress)
      }
    } catch (error) {
      this.#failures.add((error as PgBatchError).outcome)
      this.destroy(error as Error)
      throw error
    } finally {
      this.#activity.settled(lane)
    }
  }

  async #note(progress: Progress<Item>): Promise<void> {
    if (progress.kind === 'retry') {
      const { error, attempt, delayMs } = progress
      this.#events.retry({ error, attempt, delayMs })
      return
    }
    const { kind, committed } = progress
    this.#pending.remove(committed.batches)
    if (kind === 'committed-early') {
      // the transaction did not store its rejected rows: they stay pending, and `onDiscard` gets them
      this.#counts.addCommitted({ ...committed, rejected: [] })
      this.#pending.addItems(committed.rejected.map(({ item }) => item))
      return
    }
    this.#counts.addCommitted(committed)
    const { deadLetterFile } = await this.#open()
    await settle(committed, progress.attempts, {
      ...this.#options,
      events: this.#events,
      deadLetterStream: this.#deadLetter,
      deadLetterFile,
      kill: this.#kill.signal,
    })
  }

  /** Introspects the table and opens the dead letter, once. */
  #open(): Promise<Writing<Item>> {
    this.#writing ??= this.#scope.runInAsyncScope(() =>
      openWriting(this.#options, {
        pool: this.#pool,
        signals: { stop: this.#stop.signal, kill: this.#kill.signal },
        onRetry: retry => {
          this.#activity.failedOnce(this)
          this.#events.retry(retry)
        },
        onEvolve: evolve => this.#events.evolve(evolve),
      }).finally(() => this.#activity.settled(this)),
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
        const isEmpty = this.#options.replace && this.#counts.stats.batchesReceived === 0
        if (isEmpty) await this.#writeLane(writeWholeLoad, undefined, async () => undefined)
        await this.#lanes.idle()
        await writing.transactions.close()
        await confirmPositions(writing)
      })
      .then(
        () => callback(),
        error => callback(error),
      )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const reason = error ?? (this.writableFinished ? FINISHED : new Error('The stream was destroyed'))
    this.#stop.abort(reason)
    // Node answers the writes in its own buffer, and not the one that `_write` was called for
    process.nextTick(() => this.#answer(reason))
    const kill = setTimeout(() => this.#kill.abort(reason), STOP_GRACE_MS)
    this.#lanes
      .stop()
      .then(() => this.#closeTransactions())
      .then(() => this.#discardPending())
      .then(() => this.#endOwnPool())
      .finally(() => {
        clearTimeout(kill)
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
    const items = this.#pending.takeAll()
    if (onDiscard && items.length > 0) void this.#scope.runInAsyncScope(() => discard(onDiscard, items))
  }

  /** Ends the stream's own pool. Only a stream that succeeded waits for clients that are still connecting. */
  async #endOwnPool(): Promise<void> {
    if (!this.#ownPool) return
    const ending = this.#ownPool.end()
    if (this.#stop.signal.reason === FINISHED) await ending
    else await unlessAborted(ending, this.#kill.signal).catch(() => {})
  }

  /** Gives the error of an abort its outcome, which is known only after every lane has stopped. */
  #withFinalOutcome(error: Error | null): Error | null {
    if (!(error instanceof PgBatchError) || error !== this.#aborted) return error
    return withOutcome(error, outcomeOfAbort(this.stats, this.#failures))
  }
}

type WriteCallback = (error: Error | null | undefined) => void
type EndCallback = WriteCallback | (() => void)

/** What may be written: arrays of items, and of any objects where the type of an item says nothing. */
type WrittenItems<Item> = readonly (Record<string, unknown> extends Item ? Item | object : Item)[]

/** The types of the events; `declare` cannot give them to inherited methods. */
// biome-ignore lint/correctness/noUnusedVariables: merged declarations need the same parameters
export interface PgBatchWritable<Item, Row> {
  on<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  on(...rest: Parameters<Writable['on']>): this
  once<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  once(...rest: Parameters<Writable['once']>): this
  off<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Item, Name>): this
  off(...rest: Parameters<Writable['off']>): this
}

type Listener<Item, Name extends keyof PgBatchWritableEvents> = (
  ...args: PgBatchWritableEvents<Item>[Name]
) => void
