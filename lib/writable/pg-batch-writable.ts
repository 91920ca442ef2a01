import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { Writable } from 'node:stream'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/hand-over.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import { withinCallbackTime } from '../connection/transaction/callback-limits.ts'
import { PgBatchError } from '../errors.ts'
import { describe } from '../options/checks.ts'
import { discard } from '../streams/discard.ts'
import { allowListeners } from '../streams/listener-limit.ts'
import type { Outcome, Stats } from '../types.ts'
import { positionOf } from '../write/checkpoint/checkpoint.ts'
import { confirmPositions } from '../write/checkpoint/confirm-positions.ts'
import { CallbackError, toPgBatchError, withOutcome } from '../write/faults/failure.ts'
import { Lanes } from '../write/lanes.ts'
import { openWriting, type Writing } from '../write/open-writing.ts'
import type { DeadLetterFile } from '../write/rejects/dead-letter-file.ts'
import { DeadLetterStream } from '../write/rejects/dead-letter-stream.ts'
import type { Batch } from '../write/rows/batch.ts'
import { splitByLane } from '../write/rows/split-by-lane.ts'
import type { Committed } from '../write/transaction-run.ts'
import { type NextBatch, type Progress, writeBatches } from '../write/write-batches.ts'
import { publishCommit, publishReject, publishRetry } from './diagnostics.ts'
import type { CommitEvent, PgBatchWritableEvents, RetryEvent } from './events.ts'
import type { PgBatchWritableOptions } from './options.ts'
import { type ResolvedWritableOptions, resolveWritableOptions } from './resolve/resolve-options.ts'

/** How long, after an abort or a failure, the server is given to answer before its connections are ended. */
const STOP_GRACE_MS = 400

/** Why everything stops at the end of a stream that went well. */
const FINISHED = new Error('The stream has finished')

/** Batches in the stream's own buffer, before those that lanes hold: one, for Node's 16 would be 16 whole batches. */
const WRITABLE_BATCHES = 1

/**
 * Writes arrays of items into a table: each array, its `inTransaction` included, is committed in one transaction or
 * not at all, and 'finish' (the end of a `pipeline()`) comes only when all of them are.
 *
 * Make it the last argument of `pipeline()`. With stream-chain that is `pipeline(source, chain([…, batching]), sink)`.
 * In `pipeline(source, chain([…, batching, sink]))` the pipeline resolves before the last rows are committed, and a
 * later failure is an uncaught exception: `chain()` does not wait for its last stream.
 *
 * A write callback says that a batch was accepted, 'commit' that it is in the table. A transaction takes further
 * batches while they are ready, up to 100,000 rows, 6 MiB or a second, and commits at once when none is. A failure
 * that retries do not mend destroys the stream with a {@link PgBatchError} whose `outcome` says what became of the batch;
 * batches before it in its lane are committed. Destroying the stream rolls back what is in flight and settles within half a second.
 *
 * @typeParam Item what the written arrays hold
 * @typeParam Row what `toRow` makes of it: an object with a key for each column
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts another
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface below only gives types to what is inherited
export class PgBatchWritable<Item = Record<string, unknown>, Row = Item> extends Writable {
  readonly #options: ResolvedWritableOptions<Item>
  readonly #pool: PgPoolLike
  readonly #ownPool: OwnPool | undefined
  readonly #laneOf: ((item: Item) => string | number) | undefined
  readonly #lanes: Lanes<Item>
  /** Callbacks run in the AsyncLocalStorage context in which the stream was made. */
  readonly #scope = new AsyncResource('PgBatchWritable')
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly #counts = {
    rowsReceived: 0,
    rowsCommitted: 0,
    rowsUnchanged: 0,
    rowsRejected: 0,
    rowsSkipped: 0,
    batchesReceived: 0,
    batchesCommitted: 0,
    transactions: 0,
    bytesSent: 0,
  }
  readonly #deadLetter: DeadLetterStream | undefined
  /** Batches, or their parts, that were accepted and are neither committed nor given up. */
  readonly #pending = new Set<Batch<Item>>()
  /** Items that were rejected by a transaction that did not come to store them. */
  readonly #unstored: Item[] = []
  /** The error that an abort of the option `signal` destroyed the stream with. */
  #aborted: PgBatchError | undefined
  /** A transaction ended without anyone knowing how. */
  #outcomeUnknown = false
  /** Rows were sent that did not stay. */
  #rolledBack = false
  /** The callback of the batch that waits for room. */
  #withheld: ((error?: Error | null) => void) | undefined
  #context: Promise<Writing<Item>> | undefined

  constructor(options: PgBatchWritableOptions<Item, Row>) {
    const resolved = resolveWritableOptions(options)
    super({ objectMode: true, highWaterMark: WRITABLE_BATCHES })
    this.#options = resolved
    const { connection, concurrency, statementTimeoutMs } = resolved
    this.#ownPool = resolved.pool ? undefined : new OwnPool(connection!, concurrency, statementTimeoutMs)
    this.#pool = resolved.pool ?? this.#ownPool!
    guardPool(this.#pool)
    this.#deadLetter = resolved.deadLetterStream && new DeadLetterStream(resolved.deadLetterStream)
    this.#laneOf = laneOf(resolved)
    this.#lanes = new Lanes<Item>({
      count: resolved.concurrency,
      keyed: this.#laneOf !== undefined,
      write: (first, next) => this.#scope.runInAsyncScope(() => this.#writeFrom(first, next)),
    })
    setMaxListeners(0, this.#stop.signal, this.#kill.signal) // one for each lane, and more for what each waits for
    if (resolved.signal) this.#obey(resolved.signal)
  }

  #obey(signal: AbortSignal): void {
    const onAbort = (): void => {
      const details = { outcome: 'rolled-back', cause: signal.reason } as const
      this.#aborted = new PgBatchError('ABORTED', 'The signal of the stream was aborted', details)
      this.destroy(this.#aborted)
    }
    allowListeners(signal, 1)
    // a pipeline() that is made of this stream in the same tick is to hear of it: it refuses what is destroyed already
    if (signal.aborted) process.nextTick(onAbort)
    else signal.addEventListener('abort', onAbort, { once: true })
    this.once('close', () => {
      signal.removeEventListener('abort', onAbort)
      allowListeners(signal, -1)
    })
  }

  /** Counts up to this moment; `rowsReceived` is always the sum of the other five `rows…`. */
  get stats(): Readonly<Stats> {
    const { rowsReceived, rowsCommitted, rowsUnchanged, rowsRejected, rowsSkipped } = this.#counts
    const settled = rowsCommitted + rowsUnchanged + rowsRejected + rowsSkipped
    return { ...this.#counts, rowsPending: rowsReceived - settled }
  }

  /**
   * Writes a copy of the array: the caller may empty and fill it again at once, as a loop does that collects rows in
   * one array. The items themselves are not copied, and must not be changed before they are committed.
   */
  override write(items: unknown, callback?: WriteCallback): boolean
  override write(items: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean
  override write(items: unknown, ...rest: unknown[]): boolean {
    return super.write(copyOf(items), ...(rest as []))
  }

  /** Ends the stream, after a last array if one is given, of which it writes a copy as `write` does. */
  override end(callback?: () => void): this
  override end(items: unknown, callback?: () => void): this
  override end(items: unknown, encoding: BufferEncoding, callback?: () => void): this
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
    this.#counts.rowsReceived += items.length
    const batch: Batch<Item> = { id: ++this.#counts.batchesReceived, count: items.length, items }
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

  /** Answers the write that waits, or else the streams behind it would wait with it, once; Node answers the others. */
  #answer(error?: Error | null): void {
    const callback = this.#withheld
    this.#withheld = undefined
    callback?.(error)
  }

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

  override _final(callback: (error?: Error | null) => void): void {
    // an input without a single batch still hears that its table is missing
    this.#learn()
      .then(context => this.#lanes.idle().then(() => confirmPositions(context)))
      .then(
        () => callback(),
        error => callback(error),
      )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const reason = error ?? (this.writableFinished ? FINISHED : new Error('The stream was destroyed'))
    this.#stop.abort(reason)
    process.nextTick(() => this.#answer(reason))
    const kill = setTimeout(() => this.#kill.abort(reason), STOP_GRACE_MS)
    this.#lanes
      .stop()
      .then(() => this.#discard())
      .then(() => this.#endOwnPool())
      .finally(() => {
        clearTimeout(kill)
        this.#deadLetter?.release()
      })
      .then(
        () => callback(this.#explained(error)),
        failure => callback(error ?? failure),
      )
  }

  /** A pool waits for clients that are still connecting; that is no reason for a stream to wait. */
  async #endOwnPool(): Promise<void> {
    if (!this.#ownPool) return
    const ending = this.#ownPool.end()
    if (this.#stop.signal.reason === FINISHED) await ending
    else await unlessAborted(ending, this.#kill.signal).catch(() => {})
  }

  /** What an abort did to the rows is known only when everything has come to its end. */
  #explained(error: Error | null): Error | null {
    if (!(error instanceof PgBatchError) || error !== this.#aborted) return error
    const { rowsPending, rowsCommitted, rowsUnchanged } = this.stats
    const pending = this.#rolledBack ? 'rolled-back' : 'not-sent'
    const settled = rowsPending === 0 && rowsCommitted + rowsUnchanged > 0 ? 'committed' : pending
    return withOutcome(error, this.#outcomeUnknown ? 'unknown' : settled)
  }

  /** What a lane does: writes, counts, tells. Its failure is the stream's. */
  async #writeFrom(first: Batch<Item>, next: NextBatch<Item>): Promise<void> {
    try {
      for await (const progress of writeBatches(first, next, await this.#learn()))
        await this.#report(progress)
    } catch (error) {
      const { outcome } = error as PgBatchError
      if (outcome === 'unknown') this.#outcomeUnknown = true
      if (outcome === 'rolled-back') this.#rolledBack = true
      this.destroy(error as Error)
      throw error
    }
  }

  async #report(progress: Progress<Item>): Promise<void> {
    if (progress.kind === 'committed') {
      await this.#settle(progress.committed, progress.attempts)
      return
    }
    if (progress.kind === 'committed-early') {
      // its rejected rows went nowhere: they stay pending, and `onDiscard` gets them
      this.#count({ ...progress.committed, rejected: [] })
      this.#unstored.push(...progress.committed.rejected.map(({ item }) => item))
      return
    }
    const { error, attempt, delayMs } = progress
    this.#retrying({ error, attempt, delayMs })
  }

  #retrying(retry: RetryEvent): void {
    this.#tell('retry', retry, { outcome: retry.error.outcome })
    publishRetry(this.#options.table, retry)
  }

  /** Emits an event; a listener that throws fails the stream as any other callback of the user does. */
  #tell<Name extends 'commit' | 'retry' | 'reject'>(
    name: Name,
    event: PgBatchWritableEvents<Item>[Name][0],
    { outcome, batchId }: { outcome: Outcome; batchId?: number },
  ): void {
    try {
      this.emit(name, event)
    } catch (cause) {
      throw toPgBatchError(new CallbackError(`on('${name}')`, cause), outcome, { batchId }, 'write')
    }
  }

  #count({ batches, rows, unchanged, skipped, rejected, bytes }: Committed<Item>): void {
    this.#counts.rowsCommitted += rows
    this.#counts.rowsUnchanged += unchanged
    this.#counts.rowsSkipped += skipped
    this.#counts.rowsRejected += rejected.length
    this.#counts.batchesCommitted += batches.length
    this.#counts.transactions++
    this.#counts.bytesSent += bytes
    for (const batch of batches) this.#pending.delete(batch)
  }

  async #settle(committed: Committed<Item>, attempts: number): Promise<void> {
    this.#count(committed)
    const { batches, rows, unchanged, rejected, settled, bytes, method, durationMs } = committed
    const batchId = batches[0]!.id
    const commit: CommitEvent = {
      batchId,
      rows,
      rowsUnchanged: unchanged,
      bytes,
      method,
      attempts,
      durationMs,
      batches: batches.length,
    }
    this.#tell('commit', commit, { outcome: 'committed', batchId: batches[0]!.id })
    publishCommit(this.#options.table, commit)
    for (const reject of rejected) {
      this.#tell('reject', reject, { outcome: 'committed', batchId: reject.batchId })
      publishReject(this.#options.table, reject)
    }
    const { afterCommit } = this.#options
    const deadLetter = this.#deadLetter
    if (deadLetter) {
      for (const reject of rejected)
        await this.#after('deadLetter', reject.batchId, () => deadLetter.send(reject))
    }
    const { deadLetterFile } = await this.#learn()
    if (deadLetterFile && rejected.length > 0) {
      await this.#move(deadLetterFile, rejected[0]!.batchId)
    }
    if (!afterCommit) return
    for (const [index, batch] of batches.entries()) {
      await this.#after('afterCommit', batch.id, () => afterCommit(batch.items, settled[index]!))
    }
  }

  /** Has rejected rows, which are committed, go on from their table to their file. */
  async #move(file: DeadLetterFile, batchId: number): Promise<void> {
    try {
      await unlessAborted(file.move(), this.#kill.signal)
    } catch (cause) {
      throw toPgBatchError(new CallbackError('deadLetter', cause), 'committed', { batchId }, 'write')
    }
  }

  /** Waits for what the user does with committed rows, as long as the stream lives, and no longer than it may take. */
  async #after(option: string, batchId: number, work: () => void | Promise<void>): Promise<void> {
    const { callbackTimeoutMs } = this.#options
    try {
      await unlessAborted(withinCallbackTime(option, callbackTimeoutMs, work), this.#kill.signal)
    } catch (cause) {
      throw toPgBatchError(new CallbackError(option, cause), 'committed', { batchId }, 'write')
    }
  }

  #discard(): void {
    const { onDiscard } = this.#options
    const items = [...this.#unstored, ...[...this.#pending].flatMap(({ items }) => items)]
    this.#pending.clear()
    if (onDiscard && items.length > 0) void this.#scope.runInAsyncScope(() => discard(onDiscard, items))
  }

  /** Learns the table, once. */
  #learn(): Promise<Writing<Item>> {
    this.#context ??= openWriting(this.#options, {
      pool: this.#pool,
      signals: { stop: this.#stop.signal, kill: this.#kill.signal },
      onRetry: retry => this.#retrying(retry),
    })
    return this.#context
  }
}

type WriteCallback = (error: Error | null | undefined) => void

/** A shallow copy of an array, holes filled with undefined; what is no array is left for `_write` to refuse. */
function copyOf(items: unknown): unknown {
  return Array.isArray(items) ? [...items] : items
}

function notAnArray(items: unknown): TypeError {
  const message = `Expected an array of items, got ${describe(items)}: put a BatchTransform before PgBatchWritable`
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** The lane of an item: with a checkpoint its partition, whose items have to stay in order. */
function laneOf<Item>({ laneOf, checkpoint, concurrency }: ResolvedWritableOptions<Item>) {
  if (checkpoint && concurrency > 1) {
    // numbered as they first come, so that few partitions share no lane while another one has none
    const numbers = new Map<string, number>()
    return (item: Item) => {
      const { partition } = positionOf(checkpoint.position, item)
      const number = numbers.get(partition) ?? numbers.size
      numbers.set(partition, number)
      return number
    }
  }
  if (!laneOf) return undefined
  return (item: Item) => {
    try {
      return laneOf(item)
    } catch (cause) {
      throw new CallbackError('laneOf', cause)
    }
  }
}

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
