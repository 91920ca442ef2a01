import { pipeline } from 'node:stream/promises'
import type { BatchTransformOptions } from '../batch/batch-options.ts'
import { BatchTransform } from '../batch/batch-transform.ts'
import { untilClosed } from '../streams/until-closed.ts'
import { parseTableName } from '../table/identifier.ts'
import type { Stats, TableName } from '../types.ts'
import type { PgBatchWritable } from '../writable/pg-batch-writable.ts'

export interface TableSinksOptions<Item> {
  readonly batch: BatchTransformOptions<Item>
  /** Makes the stream that writes a table. */
  readonly open: (table: TableName, name: string) => PgBatchWritable<Item, object>
  /** Called once for each stream that fails. */
  readonly onFailure: (error: Error) => void
}

interface Sink<Item> {
  readonly batches: BatchTransform<Item>
  readonly writable: PgBatchWritable<Item, object>
  readonly done: Promise<void>
}

/** A BatchTransform and a PgBatchWritable for each table, made when the table's first item comes. */
export class TableSinks<Item> {
  readonly #options: TableSinksOptions<Item>
  readonly #sinks = new Map<string, Sink<Item>>()
  #last: Sink<Item> | undefined
  /** The counts of those before a reset. */
  #retired: Stats | undefined

  constructor(options: TableSinksOptions<Item>) {
    this.#options = options
  }

  /** True when there is a table that an item can go to which has none. */
  get hasTable(): boolean {
    return this.#last !== undefined
  }

  /** Writes an item to its table, or to the last item's; returns the stream that asks for a pause, if it does. */
  write(item: Item, table?: TableName): BatchTransform<Item> | undefined {
    const sink = table === undefined ? this.#last! : this.#sinkOf(table)
    this.#last = sink
    return sink.batches.write(item) ? undefined : sink.batches
  }

  /** Sends on what waits for a full batch. */
  flush(): void {
    for (const { batches } of this.#sinks.values()) batches.flush()
  }

  /** Resolves when everything that was written is committed. */
  async end(): Promise<void> {
    for (const { batches } of this.#sinks.values()) batches.end()
    await Promise.all([...this.#sinks.values()].map(({ done }) => done))
  }

  /** Resolves when all have stopped: no transaction is under way, and `stats` are final. */
  async destroy(error: Error): Promise<void> {
    const sinks = [...this.#sinks.values()]
    for (const { batches } of sinks) batches.destroy(error)
    await Promise.allSettled(sinks.map(({ done }) => done))
    await Promise.all(sinks.map(({ writable }) => untilClosed(writable)))
  }

  /** Destroys all, and begins anew. What they had not written is no longer counted: it will be read again. */
  async reset(error: Error): Promise<void> {
    await this.destroy(error)
    const { rowsReceived, rowsPending, ...others } = this.stats
    this.#retired = { ...others, rowsReceived: rowsReceived - rowsPending, rowsPending: 0 }
    this.#sinks.clear()
    this.#last = undefined
  }

  get stats(): Stats {
    const open = [...this.#sinks.values()].map(({ writable }) => writable.stats)
    const stats = this.#retired ? [this.#retired, ...open] : open
    const sum = (key: keyof Stats): number => stats.reduce((total, each) => total + each[key], 0)
    return {
      rowsReceived: sum('rowsReceived'),
      rowsCommitted: sum('rowsCommitted'),
      rowsUnchanged: sum('rowsUnchanged'),
      rowsRejected: sum('rowsRejected'),
      rowsSkipped: sum('rowsSkipped'),
      rowsPending: sum('rowsPending'),
      batchesReceived: sum('batchesReceived'),
      batchesCommitted: sum('batchesCommitted'),
      transactions: sum('transactions'),
      bytesSent: sum('bytesSent'),
    }
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

/** One spelling for each way to name a table. */
export function tableKey(table: TableName): string {
  const { schema, name } = typeof table === 'string' ? parseTableName(table) : table
  return schema === undefined ? name : `${schema}.${name}`
}
