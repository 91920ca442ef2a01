import { EventEmitter, once, setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/hand-over.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import { PgBatchError } from '../errors.ts'
import type { Stats, TableName } from '../types.ts'
import { PgBatchWritable } from '../writable/pg-batch-writable.ts'
import { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import { readCheckpoint } from '../write/checkpoint/read-checkpoint.ts'
import { orderOf } from '../write/checkpoint/source-order.ts'
import { retryDelayMs } from '../write/faults/retry.ts'
import { Backoff } from './backoff.ts'
import type { RecordStream, TopicStates } from './consumer/consumer-like.ts'
import { bytesPerPartition, takeTurns } from './consumer/fair-fetches.ts'
import { RebalanceGate } from './consumer/rebalance-gate.ts'
import type { KafkaToPgEvents } from './kafka-events.ts'
import { type KafkaToPgOptions, type ResolvedKafkaOptions, resolveKafkaOptions } from './kafka-options.ts'
import { KafkaMessage, type KafkaRecord } from './messages/kafka-message.ts'
import { type KafkaOffset, partitionKey } from './offsets/position.ts'
import { seek } from './offsets/seek-to-stored.ts'
import { isRebalance, mayPass } from './outage.ts'
import { Progress } from './progress.ts'
import { fenceName, sinkOptions } from './sink-options.ts'
import { TableRouter } from './table-router.ts'
import { TableSinks, tableKey } from './table-sinks.ts'

/** Why everything stops when `close` was called. */
const CLOSED = new Error('The sink was closed')

/** Counts up to this moment: of all tables together, and of the consumer. */
export interface KafkaToPgStats extends Stats {
  /** Messages that were read; after a rebalance or a restart some of them again. */
  messagesReceived: number
  /** How often partitions were assigned. */
  assignments: number
  outages: number
}

/**
 * Reads topics into tables until it is closed: every message is in its table, or rejected to the dead letter, or skipped,
 * before its offset is committed to Kafka; with `delivery: 'exactly-once'` it is there once, whatever fails or moves.
 *
 * A failure of PostgreSQL that retries do not mend ends it: `finished` rejects with a PgBatchError, and the consumer has
 * left its group. So does a refusal by Kafka (authorization, say), and whatever goes wrong before the first assignment,
 * except for a rebalance. Later outages of Kafka are waited for, however long they take, with a growing delay of up to
 * `retry.maxDelayMs`.
 *
 * @typeParam Value what the messages' values are
 * @typeParam Row what `toRow` makes of a message
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts another
 */
export function kafkaToPg<Value = Record<string, unknown>, Row = Value>(
  options: KafkaToPgOptions<Value, Row>,
): KafkaToPg<Value> {
  return new KafkaToPg(resolveKafkaOptions(options))
}

/*
 * It is one of:
 *
 *   joining    the group; then seeking
 *   seeking    the group's offsets are made those that PostgreSQL holds; then reading
 *   reading    one stream of the client's, which is thrown away when partitions move: with the records that it still
 *              holds of lost partitions, and at the offsets to which the client would reset kept ones. Then draining
 *   draining   what was read is written and its offsets committed; then seeking, or joining when the group has to be
 *              asked for partitions anew; after an outage only after a pause
 *   beginning  anew, after PostgreSQL has forgotten commits: what was read and not written is given up; then seeking
 *   closing    after `close`: what was read is written, offsets are committed, and the group is left
 *   failed     PostgreSQL gave up, or Kafka refused: all is torn down, and the group is left
 */
export class KafkaToPg<Value = Record<string, unknown>> extends EventEmitter<KafkaToPgEvents<Value>> {
  /** Resolves when it was closed and everything that was read is committed; rejects when it has failed. */
  readonly finished: Promise<void>
  readonly #options: ResolvedKafkaOptions<Value>
  readonly #pool: PgPoolLike
  readonly #ownPool: OwnPool | undefined
  readonly #sinks: TableSinks<KafkaMessage<Value>>
  readonly #progress: Progress<Value>
  readonly #stop = new AbortController()
  readonly #router: TableRouter<Value>
  readonly #backoff: Backoff
  readonly #gate = new RebalanceGate()
  #stream: RecordStream | undefined
  /** Grows when partitions move: what began with another number is out of date. */
  #generation = 0
  #rejoin = true
  #topics: TopicStates = new Map()
  /** What PostgreSQL must not have less than. */
  #committed = new CommittedPositions()
  /** Where partitions that have no stored position are read from. */
  readonly #begins = new Map<string, bigint>()
  /** PostgreSQL has forgotten commits: all that was read is read again. */
  #regression: PgBatchError | undefined
  /** Regressions in a row, without a commit in between. */
  #regressions = 0
  /** Aborted when everything stops, or begins anew. */
  #reading = new AbortController()
  readonly #counts = { messagesReceived: 0, assignments: 0, outages: 0 }

  /** @internal use kafkaToPg */
  constructor(options: ResolvedKafkaOptions<Value>) {
    super()
    this.#options = options
    const { writable, batch } = options
    const { connection, concurrency, statementTimeoutMs } = writable
    this.#ownPool = writable.pool ? undefined : new OwnPool(connection!, concurrency + 1, statementTimeoutMs)
    this.#pool = writable.pool ?? this.#ownPool!
    guardPool(this.#pool)
    setMaxListeners(0, this.#stop.signal)
    this.#router = new TableRouter(options)
    this.#backoff = new Backoff(writable.retry)
    this.#sinks = new TableSinks({
      batch,
      open: (table, name) => this.#openSink(table, name),
      onFailure: error => this.#sinkFailed(error),
    })
    this.#progress = new Progress(options, {
      pool: this.#pool,
      gate: this.#gate,
      signal: this.#stop.signal,
      committed: () => this.#committed,
      onFailure: error => {
        if (isRegression(error)) this.#sinkFailed(error)
        else this.#tellOutage(error, 0, 0)
      },
    })
    this.finished = this.#run()
  }

  get stats(): Readonly<KafkaToPgStats> {
    return { ...this.#sinks.stats, ...this.#counts }
  }

  /** Reads no further, writes what was read, commits its offsets and leaves the group. Settles as `finished` does. */
  close(): Promise<void> {
    this.#halt(CLOSED)
    return this.finished
  }

  #halt(reason: Error): void {
    this.#stop.abort(reason)
    this.#reading.abort(reason)
    this.#gate.open()
    this.#stream?.destroy()
  }

  /** A table's stream has failed: for good, or since PostgreSQL has forgotten commits, which only means to read again. */
  #sinkFailed(error: Error): void {
    if (!isRegression(error) || this.#stop.signal.aborted) {
      this.#halt(error)
      return
    }
    if (this.#regression) return
    this.#regression = error
    this.#reading.abort(error)
    this.#progress.forget()
    this.#assignmentMoved()
  }

  get #failure(): Error | undefined {
    const { aborted, reason } = this.#stop.signal
    return aborted && reason !== CLOSED ? reason : undefined
  }

  async #run(): Promise<void> {
    const { consumer } = this.#options
    const onJoin = (): void => this.#assignmentMoved()
    const onError = (error: Error): void => this.#membershipLost(error)
    const onMetadata = (metadata: { topics: TopicStates }): void => this.#compare(metadata)
    // it joins, and says so, or that it could not
    const onRebalance = (): void => {
      if (!this.#stop.signal.aborted) this.#gate.close()
    }
    consumer.on('consumer:group:join', onJoin)
    consumer.on('consumer:group:rebalance', onRebalance)
    consumer.on('error', onError)
    consumer.on('client:metadata', onMetadata)
    try {
      await this.#consume()
      if (this.#failure) throw this.#failure
      await this.#sinks.end()
      await this.#progress.idle()
    } catch (error) {
      this.#stop.abort(error)
      await this.#sinks.destroy(error as Error)
      throw error
    } finally {
      consumer.off('consumer:group:join', onJoin)
      consumer.off('consumer:group:rebalance', onRebalance)
      consumer.off('client:metadata', onMetadata)
      await this.#leave()
      await this.#ownPool?.end()
      // one that was closed may still fail at something that nobody waits for
      if (!this.#options.ownsConsumer) consumer.off('error', onError)
    }
  }

  /** Reads until it is told to stop; outages are met here. */
  async #consume(): Promise<void> {
    const { signal } = this.#stop
    const { consumer, topics } = this.#options
    // known to the consumer for as long as this lives: it would join anew for each stream
    consumer.topics.trackAll(...topics)
    while (!signal.aborted) {
      try {
        if (this.#regression) await this.#beginAnew(this.#regression)
        if (this.#rejoin) await this.#join()
        await this.#readAssignment()
      } catch (error) {
        if (signal.aborted) return
        // a group that starts moves its partitions about, as each of its members comes
        const atStart = this.#counts.assignments === 0 && !isRebalance(error)
        if (!mayPass(error) || atStart) throw error
        const { attempt, delayMs } = this.#backoff.after(error as Error)
        this.#rejoin = true
        this.#tellOutage(error as Error, attempt, delayMs)
        await delay(delayMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  async #join(): Promise<void> {
    this.#rejoin = false
    const { consumer } = this.#options
    await unlessAborted(consumer.joinGroup(), this.#stop.signal)
  }

  async #readAssignment(): Promise<void> {
    const generation = this.#generation
    const moved = (): boolean => generation !== this.#generation || this.#stop.signal.aborted
    const { starts, topics } = await unlessAborted(this.#seek(), this.#stop.signal)
    if (moved()) return
    this.#topics = topics
    const { consumer, maxBytes } = this.#options
    const stream = await consumer.consume({
      topics: [...this.#options.topics],
      autocommit: false,
      mode: 'committed',
      fallbackMode: 'earliest',
      maxBytes,
      maxBytesPerPartition: bytesPerPartition(maxBytes, starts.length),
    })
    stream.on('fetch', () => takeTurns(consumer.assignments))
    this.#stream = stream
    this.#counts.assignments++
    this.#backoff.assigned()
    this.emit('assigned', starts)
    try {
      if (!moved()) for await (const record of stream) await this.#take(record as KafkaRecord)
    } catch (error) {
      if (moved()) return
      this.#gate.open() // to drain: nobody else will open it, for it is this that joins next
      throw error
    } finally {
      stream.destroy()
      await this.#drain()
    }
  }

  /** Gives up what was read and not written, so that it is read again from what PostgreSQL holds. */
  async #beginAnew(error: PgBatchError): Promise<void> {
    await this.#sinks.reset(error)
    this.#router.release()
    this.#progress.forget()
    await unlessAborted(this.#progress.idle(), this.#stop.signal)
    this.#committed = new CommittedPositions()
    this.#regression = undefined
    this.#reading = new AbortController()
    this.emit('regressed', { error })
    const { retry } = this.#options.writable
    const delayMs = this.#regressions++ === 0 ? 0 : retryDelayMs(retry, this.#regressions, Math.random())
    await delay(delayMs, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  /** Reads on at what PostgreSQL holds; without a checkpoint, at what the group's offsets say. */
  async #seek(): Promise<{ starts: KafkaOffset[]; topics: TopicStates }> {
    const { consumer, topics, checkpoint, onlyTable } = this.#options
    if (!checkpoint) return seek(consumer, topics, new Map())
    const name = onlyTable === undefined ? checkpoint.name : fenceName(checkpoint.name, tableKey(onlyTable))
    const stored = await readCheckpoint(this.#pool, name, checkpoint.table)
    const found = await seek(consumer, topics, stored, this.#begins)
    for (const [partition, offset] of stored)
      this.#committed.note({ name, partition, order: orderOf({ offset }) })
    for (const { topic, partition, offset } of found.starts) {
      const key = partitionKey(topic, partition, found.topics.get(topic)?.id)
      const isStored = stored.has(key) || stored.has(partitionKey(topic, partition))
      // a position that is there and vanishes takes all messages along; one that was never there, those from here on
      if (!this.#begins.has(key)) this.#begins.set(key, isStored ? 0n : offset)
    }
    return found
  }

  /** Partitions have moved, or have to be asked for anew: the stream that reads is out of date. */
  #assignmentMoved({ rejoin = false } = {}): void {
    this.#gate.open()
    this.#generation++
    this.#rejoin ||= rejoin
    this.#stream?.destroy()
  }

  /** The client tells so that it could not come back into its group, or not reach it, and does not try again. */
  #membershipLost(error: Error): void {
    if (!this.#rejoin && !this.#stop.signal.aborted) this.#tellOutage(error, 0, 0)
    this.#assignmentMoved({ rejoin: true })
  }

  /** The client looks at topics from time to time: one may have been made again, or have got further partitions. */
  #compare({ topics }: { topics: TopicStates }): void {
    const changed = [...topics].some(([name, now]) => {
      const known = this.#topics.get(name)
      return known && now && (known.id !== now.id || known.partitionsCount !== now.partitionsCount)
    })
    if (!changed) return
    this.#topics = new Map()
    this.#assignmentMoved({ rejoin: true })
  }

  /** Hands a record on; resolves when there is room for the next one. */
  async #take(record: KafkaRecord): Promise<void> {
    this.#backoff.reset()
    this.#counts.messagesReceived++
    const topicId = this.#options.checkpoint && this.#topics.get(record.topic)?.id
    const message = new KafkaMessage<Value>(record, topicId, this.#options.parseValue)
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
    const { signal } = this.#reading
    for (const item of [...this.#router.release(), message]) {
      const full = this.#sinks.write(item, table)
      if (full) await once(full, 'drain', { signal })
    }
  }

  #openSink(table: TableName, name: string): PgBatchWritable<KafkaMessage<Value>, object> {
    const sink = new PgBatchWritable(
      sinkOptions(this.#options, {
        table,
        name,
        pool: this.#pool,
        router: this.#router,
        committed: this.#committed,
        done: messages => this.#progress.done(messages),
      }),
    )
    sink.on('commit', commit => {
      this.#regressions = 0
      this.emit('commit', { ...commit, table: name })
    })
    sink.on('retry', retry => this.emit('retry', { ...retry, table: name }))
    sink.on('reject', reject => this.emit('reject', reject))
    return sink
  }

  /** Waits until all that was read is written and its offsets committed, or everything stops. */
  async #drain(): Promise<void> {
    await this.#progress.drained(this.#router.held, () => this.#sinks.flush())
    this.#router.release() // read again
  }

  async #leave(): Promise<void> {
    const { consumer, ownsConsumer, topics } = this.#options
    try {
      if (ownsConsumer) await consumer.close(true)
      else await consumer.leaveGroup(true)
    } catch {
      // Kafka is away, and will miss this member when its session is over
    }
    consumer.topics.untrackAll(...topics)
  }

  #tellOutage(error: Error, attempt: number, delayMs: number): void {
    this.#counts.outages++
    this.emit('outage', { error, attempt, delayMs })
  }
}

function isRegression(error: Error): error is PgBatchError {
  return error instanceof PgBatchError && error.code === 'CHECKPOINT_REGRESSED'
}
