import { pipeline } from 'node:stream/promises'
import type { BatchTransformOptions } from '../batch/batch-options.ts'
import { BatchTransform } from '../batch/batch-transform.ts'
import { untilClosed } from '../streams/until-closed.ts'
import { parseTableName } from '../table/identifier.ts'
import type { Stats, TableName } from '../types.ts'
import { combineStats } from '../writable/combine-stats.ts'
import type { PgBatchWritable } from '../writable/pg-batch-writable.ts'

export interface TableSinksOptions<Item> {
  readonly batch: BatchTransformOptions<Item>
  /** Creates the stream that writes a table. */
  readonly open: (table: TableName, name: string) => PgBatchWritable<Item, object>
  /** Called once for each stream that fails. */
  readonly onFailure: (error: Error) => void
}

interface Sink<Item> {
  readonly batches: BatchTransform<Item>
  readonly writable: PgBatchWritable<Item, object>
  readonly done: Promise<void>
}

/** A BatchTransform and a PgBatchWritable for each table, created when the table's first item comes. */
export class TableSinks<Item> {
  readonly #options: TableSinksOptions<Item>
  readonly #sinks = new Map<string, Sink<Item>>()
  #last: Sink<Item> | undefined
  /** The counts of the streams before the last reset. */
  #retired: Stats | undefined

  constructor(options: TableSinksOptions<Item>) {
    this.#options = options
  }

  /** True if there is a stream for an item without a table. */
  get hasTable(): boolean {
    return this.#last !== undefined
  }

  /**
   * Writes an item to its table, or to the last item's table. Returns the stream to wait for, if it is full.
   */
  write(item: Item, table?: TableName): BatchTransform<Item> | undefined {
    const sink = table === undefined ? this.#last! : this.#sinkOf(table)
    this.#last = sink
    return sink.batches.write(item) ? undefined : sink.batches
  }

  /** Sends every batch that is not full yet. */
  flush(): void {
    for (const { batches } of this.#sinks.values()) batches.flush()
  }

  /** Resolves when everything that was written is committed. */
  async end(): Promise<void> {
    for (const { batches } of this.#sinks.values()) batches.end()
    await Promise.all([...this.#sinks.values()].map(({ done }) => done))
  }

  /** Resolves when all streams have stopped: no transaction is in flight, and `stats` are final. */
  async destroy(error: Error): Promise<void> {
    const sinks = [...this.#sinks.values()]
    for (const { batches } of sinks) batches.destroy(error)
    await Promise.allSettled(sinks.map(({ done }) => done))
    await Promise.all(sinks.map(({ writable }) => untilClosed(writable)))
  }

  /**
   * Destroys all streams, for new ones to follow. Pending rows are no longer counted: they will be read
   * again.
   */
  async reset(error: Error): Promise<void> {
    await this.destroy(error)
    const { rowsReceived, rowsPending, ...others } = this.stats
    this.#retired = { ...others, rowsReceived: rowsReceived - rowsPending, rowsPending: 0, state: 'ended' }
    this.#sinks.clear()
    this.#last = undefined
  }

  get stats(): Stats {
    const open = [...this.#sinks.values()].map(({ writable }) => writable.stats)
    return combineStats(this.#retired ? [this.#retired, ...open] : open)
  }

  #sinkOf(table: TableName): Sink<Item> {
    const name = tableKey(table)
    const known = this.#sinks.get(name)
    if (known) return known
    const { batch, open, onFailure } = this.#options
    const batches = new BatchTransform<Item>(batch)
    const writable = open(table, name)
    const done = pipeline(batches, writable)
    done.catch(onFailure)
    const sink = { batches, writable, done }
    this.#sinks.set(name, sink)
    return sink
  }
}

/** Returns one spelling for every way to name a table. */
export function tableKey(table: TableName): string {
  const { schema, name } = typeof table === 'string' ? parseTableName(table) : table
  return schema === undefined ? name : `${schema}.${name}`
}
