import { setMaxListeners } from 'node:events'
import { type Readable, Writable } from 'node:stream'
import { type StopSignals, unlessAborted } from './connection/lease.ts'
import { OwnPool } from './connection/own-pool.ts'
import type { PgPoolLike } from './connection/pg-types.ts'
import { PgBatchError } from './errors.ts'
import { describe } from './options.ts'
import type { Stats } from './types.ts'
import {
  type PgBatchWritableOptions,
  type ResolvedWritableOptions,
  resolveWritableOptions,
} from './writable-options.ts'
import type { Batch } from './write/batch.ts'
import { CopyFormatChoice } from './write/copy-format.ts'
import { CallbackError, toPgBatchError } from './write/failure.ts'
import { Lanes } from './write/lanes.ts'
import { learnPlan } from './write/learn-plan.ts'
import { splitByLane } from './write/split-by-lane.ts'
import type { Committed } from './write/transaction-run.ts'
import { type NextBatch, type TransactionWriterOptions, writeBatches } from './write/transaction-writer.ts'

/** What the 'commit' event tells of one transaction. */
export interface CommitEvent {
  /** The number of its first batch, from 1, in the order of writing. */
  readonly batchId: number
  /** Rows written; skipped items are not among them. */
  readonly rows: number
  /** Bytes of row data sent. */
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  /** How often its rows were sent, from 1. */
  readonly attempts: number
  /** Milliseconds from its first statement to the answer to COMMIT. */
  readonly durationMs: number
  /** How many batches it holds. */
  readonly batches: number
}

export interface PgBatchWritableEvents {
  /** A transaction was committed. */
  commit: [commit: CommitEvent]
  close: []
  drain: []
  error: [error: Error]
  finish: []
  pipe: [source: Readable]
  unpipe: [source: Readable]
}

/** How long, after an abort or a failure, the server is given to answer before its connections are ended. */
const STOP_GRACE_MS = 400

/** Batches in the stream's own buffer, before those that lanes hold: one, for Node's 16 would be 16 whole batches. */
const WRITABLE_BATCHES = 1

/**
 * Writes arrays of items into a table: each array, its `inTransaction` included, is committed in one transaction or
 * not at all, and 'finish' (the end of a `pipeline()`) comes only when all of them are.
 *
 * A write callback says that a batch was accepted, 'commit' that it is in the table. A transaction takes further
 * batches while they are ready, up to 100,000 rows, 16 MiB or a second, and commits at once when none is. A failure destroys
 * the stream with a {@link PgBatchError} whose `outcome` says what became of the batch; batches before it in its lane
 * are committed. Destroying the stream rolls back what is in flight and settles within half a second.
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
  readonly #lanes: Lanes<Item>
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly #counts = {
    rowsReceived: 0,
    rowsCommitted: 0,
    rowsRejected: 0,
    rowsSkipped: 0,
    batchesReceived: 0,
    batchesCommitted: 0,
    transactions: 0,
    bytesSent: 0,
  }
  #writing: Promise<TransactionWriterOptions<Item>> | undefined

  constructor(options: PgBatchWritableOptions<Item, Row>) {
    const resolved = resolveWritableOptions(options)
    super({ objectMode: true, highWaterMark: WRITABLE_BATCHES })
    this.#options = resolved
    this.#ownPool = resolved.pool ? undefined : new OwnPool(resolved.connectionString!, resolved.concurrency)
    this.#pool = resolved.pool ?? this.#ownPool!
    this.#lanes = new Lanes<Item>({
      count: resolved.concurrency,
      keyed: resolved.laneOf !== undefined,
      write: (first, next) => this.#writeFrom(first, next),
    })
    setMaxListeners(0, this.#stop.signal, this.#kill.signal) // one for each lane, and more for what each waits for
    if (resolved.signal) this.#obey(resolved.signal)
  }

  #obey(signal: AbortSignal): void {
    const onAbort = (): void => {
      const details = { outcome: 'rolled-back', cause: signal.reason } as const
      this.destroy(new PgBatchError('ABORTED', 'The signal of the stream was aborted', details))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    this.once('close', () => signal.removeEventListener('abort', onAbort))
  }

  /** Counts up to this moment; `rowsReceived` is always the sum of the other four `rows…`. */
  get stats(): Readonly<Stats> {
    const { rowsReceived, rowsCommitted, rowsRejected, rowsSkipped } = this.#counts
    return { ...this.#counts, rowsPending: rowsReceived - rowsCommitted - rowsRejected - rowsSkipped }
  }

  override _write(items: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!Array.isArray(items)) {
      callback(
        new TypeError(
          `Expected an array of items, got ${describe(items)}: put a BatchTransform before PgBatchWritable`,
        ),
      )
      return
    }
    if (items.length === 0) {
      callback()
      return
    }
    this.#counts.rowsReceived += items.length
    const batch: Batch<Item> = { id: ++this.#counts.batchesReceived, items }
    let room: Promise<unknown> | undefined
    try {
      room = this.#offer(batch)
    } catch (cause) {
      callback(toPgBatchError(new CallbackError('laneOf', cause), 'not-sent', { batchId: batch.id }, 'write'))
      return
    }
    if (room) room.then(() => callback())
    else callback()
  }

  #offer(batch: Batch<Item>): Promise<unknown> | undefined {
    const { laneOf, concurrency } = this.#options
    if (!laneOf) return this.#lanes.offer(batch)
    const waits = splitByLane(batch, laneOf, concurrency).map(({ part, lane }) =>
      this.#lanes.offer(part, lane),
    )
    return waits.some(Boolean) ? Promise.all(waits) : undefined
  }

  override _final(callback: (error?: Error | null) => void): void {
    // an input without a single batch still hears that its table is missing
    this.#learn()
      .then(() => this.#lanes.idle())
      .then(
        () => callback(),
        error => callback(error),
      )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const reason = error ?? new Error('The stream was destroyed')
    this.#stop.abort(reason)
    const kill = setTimeout(() => this.#kill.abort(reason), STOP_GRACE_MS)
    this.#lanes
      .stop()
      .then(() => this.#ownPool?.end())
      .finally(() => clearTimeout(kill))
      .then(
        () => callback(error),
        failure => callback(error ?? failure),
      )
  }

  /** What a lane does: writes, counts, tells. Its failure is the stream's. */
  async #writeFrom(first: Batch<Item>, next: NextBatch<Item>): Promise<void> {
    try {
      const writing = await this.#learn()
      for await (const committed of writeBatches(first, next, writing)) await this.#settle(committed)
    } catch (error) {
      this.destroy(error as Error)
      throw error
    }
  }

  async #settle({ batches, rows, skipped, bytes, method, durationMs }: Committed<Item>): Promise<void> {
    this.#counts.rowsCommitted += rows
    this.#counts.rowsSkipped += skipped
    this.#counts.batchesCommitted += batches.length
    this.#counts.transactions++
    this.#counts.bytesSent += bytes
    this.emit('commit', {
      batchId: batches[0]!.id,
      rows,
      bytes,
      method,
      attempts: 1,
      durationMs,
      batches: batches.length,
    })
    const { afterCommit } = this.#options
    if (!afterCommit) return
    for (const { id, items } of batches) {
      try {
        await unlessAborted(Promise.resolve(afterCommit(items)), this.#kill.signal)
      } catch (cause) {
        throw toPgBatchError(new CallbackError('afterCommit', cause), 'committed', { batchId: id }, 'write')
      }
    }
  }

  /** Learns the table, once. */
  #learn(): Promise<TransactionWriterOptions<Item>> {
    this.#writing ??= this.#prepareWriting()
    return this.#writing
  }

  async #prepareWriting(): Promise<TransactionWriterOptions<Item>> {
    const signals: StopSignals = { stop: this.#stop.signal, kill: this.#kill.signal }
    const plan = await learnPlan(this.#options, this.#pool, signals)
    return {
      pool: this.#pool,
      plan,
      format: new CopyFormatChoice(plan.copyFormat),
      inTransaction: this.#options.inTransaction,
      signals,
      lanes: this.#options.concurrency,
    }
  }
}

/** The types of the events; `declare` cannot give them to inherited methods. */
// biome-ignore lint/correctness/noUnusedVariables: merged declarations need the same parameters
export interface PgBatchWritable<Item, Row> {
  on<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Name>): this
  on(...rest: Parameters<Writable['on']>): this
  once<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Name>): this
  once(...rest: Parameters<Writable['once']>): this
  off<Name extends keyof PgBatchWritableEvents>(name: Name, listener: Listener<Name>): this
  off(...rest: Parameters<Writable['off']>): this
  write(items: readonly Item[], callback?: (error?: Error | null) => void): boolean
  write(items: readonly Item[], encoding: BufferEncoding, callback?: (error?: Error | null) => void): boolean
}

type Listener<Name extends keyof PgBatchWritableEvents> = (...args: PgBatchWritableEvents[Name]) => void
