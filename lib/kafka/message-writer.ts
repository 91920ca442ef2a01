import { type EventEmitter, once } from 'node:events'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import type { Stats, TableName } from '../types.ts'
import { PgBatchWritable } from '../writable/pg-batch-writable.ts'
import type { RebalanceGate } from './consumer/rebalance-gate.ts'
import type { KafkaToPgEvents } from './kafka-events.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import { Progress } from './progress.ts'
import { sinkOptions } from './sink-options.ts'
import type { StartOffsets } from './start-offsets.ts'
import { TableRouter } from './table-router.ts'
import { TableSinks } from './table-sinks.ts'

export interface MessageWriterContext<Value> {
  readonly pool: PgPoolLike
  readonly starts: StartOffsets
  /** Commits to Kafka wait until it is open. */
  readonly gate: RebalanceGate
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** Emits the tables' events. */
  readonly events: EventEmitter<KafkaToPgEvents<Value>>
  readonly onCommit: () => void
  /** Called for a table's stream that fails. */
  readonly onWriteFailure: (error: Error) => void
  /** Called for each commit to Kafka that fails. */
  readonly onCommitFailure: (error: Error) => void
}

/** Writes messages to their tables, and commits an offset to Kafka once all messages before it are done. */
export class MessageWriter<Value> {
  readonly #options: ResolvedKafkaOptions<Value>
  readonly #context: MessageWriterContext<Value>
  readonly #sinks: TableSinks<KafkaMessage<Value>>
  readonly #router: TableRouter<Value>
  readonly #progress: Progress<Value>
  /** Aborted when everything stops, and when what was read is given up. */
  #waiting = new AbortController()

  constructor(options: ResolvedKafkaOptions<Value>, context: MessageWriterContext<Value>) {
    const { pool, gate, signal, starts, onWriteFailure, onCommitFailure } = context
    this.#options = options
    this.#context = context
    this.#router = new TableRouter(options)
    this.#sinks = new TableSinks({
      batch: options.batch,
      open: (table, name) => this.#openSink(table, name),
      onFailure: onWriteFailure,
    })
    const committed = () => starts.committed
    this.#progress = new Progress(options, { pool, gate, signal, committed, onFailure: onCommitFailure })
    signal.addEventListener('abort', () => this.#waiting.abort(signal.reason), { once: true })
  }

  get stats(): Stats {
    return this.#sinks.stats
  }

  /** Hands a message to its table's stream. Resolves when there is room for the next one. */
  async write(message: KafkaMessage<Value>): Promise<void> {
    this.#progress.read(message)
    const table = this.#router.tableOf(message)
    if (table === null) {
      this.#router.noteSkipped()
      this.#progress.done([message])
      return
    }
    if (table === undefined && !this.#sinks.hasTable) {
      this.#router.hold(message)
      return
    }
    const { signal } = this.#waiting
    for (const item of [...this.#router.release(), message]) {
      const full = this.#sinks.write(item, table)
      if (full) await once(full, 'drain', { signal })
    }
  }

  /** Resolves when all messages are written and their offsets are committed, or everything stops. */
  async drain(): Promise<void> {
    await this.#progress.drained(this.#router.held, () => this.#sinks.flush())
    this.#router.release() // held messages are read again
  }

  /** Rejects a `write` that waits for room, and lets `drain` resolve: the messages will be read again. */
  giveUp(error: Error): void {
    this.#waiting.abort(error)
    this.#progress.forget()
  }

  /**
   * Drops what was given up. Resolves when no transaction and no commit to Kafka is under way; rejects when
   * everything stops meanwhile.
   */
  async reset(error: Error): Promise<void> {
    await this.#sinks.reset(error)
    this.#router.release()
    this.#progress.forget()
    await unlessAborted(this.#progress.idle(), this.#context.signal)
    this.#waiting = new AbortController()
  }

  /** Resolves when everything that was written is committed, and so are the offsets. */
  async end(): Promise<void> {
    await this.#sinks.end()
    await this.#progress.idle()
  }

  /** Rolls back what is in flight. */
  destroy(error: Error): Promise<void> {
    return this.#sinks.destroy(error)
  }

  #openSink(table: TableName, name: string): PgBatchWritable<KafkaMessage<Value>, object> {
    const { pool, starts, events, onCommit } = this.#context
    const sink = new PgBatchWritable(
      sinkOptions(this.#options, {
        table,
        name,
        pool,
        router: this.#router,
        committed: starts.committed,
        done: messages => this.#progress.done(messages),
      }),
    )
    sink.on('commit', commit => {
      onCommit()
      events.emit('commit', { ...commit, table: name })
    })
    sink.on('retry', retry => events.emit('retry', { ...retry, table: name }))
    sink.on('reject', reject => events.emit('reject', reject))
    sink.on('evolve', evolve => events.emit('evolve', { ...evolve, table: name }))
    return sink
  }
}
