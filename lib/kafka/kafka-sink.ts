import { EventEmitter, setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { guardPool } from '../connection/pool/guard-pool.ts'
import { unlessAborted } from '../connection/pool/lease.ts'
import { OwnPool } from '../connection/pool/own-pool.ts'
import type { PgBatchError } from '../errors.ts'
import type { StreamState } from '../types.ts'
import { retryDelayMs } from '../write/faults/retry.ts'
import { Backoff } from './backoff.ts'
import type { RecordStream, TopicStates } from './consumer/consumer-like.ts'
import { listenToGroup } from './consumer/group-events.ts'
import { RebalanceGate } from './consumer/rebalance-gate.ts'
import { haveChanged, leaveGroup, openStream } from './consumer/use-consumer.ts'
import type { KafkaToPgEvents, KafkaToPgStats } from './kafka-events.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import { MessageWriter } from './message-writer.ts'
import { KafkaMessage, type KafkaRecord } from './messages/kafka-message.ts'
import { isRebalance, isRegression, mayPass } from './outage.ts'
import { StartOffsets } from './start-offsets.ts'
import { type LiveState, NOTHING_NEXT, type State, stateFor } from './state.ts'

/** The reason for which everything stops after `close`. */
const CLOSED = new Error('The sink was closed')

/*
 *   joining ──→ seeking ──→ reading ──→ draining ──→ seeking, or joining or restarting if that is needed
 *                  └── partitions move ────↑
 *   joining, seeking, draining ── an outage ──→ pausing ──→ joining, or restarting
 *   restarting ──→ seeking, or joining
 *   any of them ── close() ──→ closing
 *   any of them ── a failure that no retry fixes ──→ failed
 *
 *   joining     asks the group for partitions
 *   seeking     sets the group's offsets to the positions that PostgreSQL holds
 *   reading     reads one stream of the client's. When partitions move, that stream is destroyed: it still
 *               holds records of lost partitions, and the client would reset kept ones to offsets of its own
 *   draining    writes what was read, and commits its offsets
 *   pausing     waits after an outage, longer each time
 *   restarting  drops what was read and not written, since PostgreSQL has forgotten commits
 *   closing     writes what was read, commits its offsets, and leaves the group
 *   failed      tears everything down, and leaves the group
 */
export class KafkaToPg<Value = Record<string, unknown>> extends EventEmitter<KafkaToPgEvents<Value>> {
  /** Resolves after `close`, when everything that was read is committed. Rejects when it has failed. */
  readonly finished: Promise<void>
  readonly #options: ResolvedKafkaOptions<Value>
  readonly #pool: PgPoolLike
  readonly #ownPool: OwnPool | undefined
  readonly #writer: MessageWriter<Value>
  readonly #starts: StartOffsets
  readonly #backoff: Backoff
  readonly #gate = new RebalanceGate()
  #state: State = { kind: 'joining', next: NOTHING_NEXT }
  /** Aborted when the state becomes closing or failed. */
  readonly #stop = new AbortController()
  /** The topics as they were when partitions were last assigned. */
  #topics: TopicStates = new Map()
  #hasEnded = false
  /** Regressions in a row, without a commit in between. */
  #regressions = 0
  readonly #counts = { messagesReceived: 0, assignments: 0, outages: 0 }

  /** @internal use kafkaToPg */
  constructor(options: ResolvedKafkaOptions<Value>) {
    super()
    this.#options = options
    const { pool, connection, concurrency, statementTimeoutMs, retry } = options.writable
    this.#ownPool = pool ? undefined : new OwnPool(connection!, concurrency + 1, statementTimeoutMs)
    this.#pool = pool ?? this.#ownPool!
    guardPool(this.#pool)
    setMaxListeners(0, this.#stop.signal)
    this.#starts = new StartOffsets(options, this.#pool)
    this.#backoff = new Backoff(retry)
    this.#writer = new MessageWriter(options, {
      pool: this.#pool,
      starts: this.#starts,
      gate: this.#gate,
      signal: this.#stop.signal,
      events: this,
      onCommit: () => {
        this.#regressions = 0
      },
      onWriteFailure: error => this.#onWriteFailure(error),
      onCommitFailure: error =>
        isRegression(error) ? this.#onWriteFailure(error) : this.#reportOutage(error, 0, 0),
    })
    this.finished = this.#run()
  }

  get stats(): Readonly<KafkaToPgStats> {
    const stats = this.#writer.stats
    return { ...stats, ...this.#counts, state: this.#stateOf(stats.state) }
  }

  /** Returns what the sink is doing. @param tables what the streams of its tables are doing */
  #stateOf(tables: StreamState): StreamState {
    const { kind } = this.#state
    if (kind === 'failed') return 'failed'
    if (this.#hasEnded) return 'ended'
    // a stream that has failed is replaced by one that reads again
    if (kind === 'pausing' || kind === 'restarting' || tables === 'failed') return 'retrying'
    return tables === 'ended' ? 'idle' : tables
  }

  /**
   * Stops reading, writes what was read, commits its offsets and leaves the group. Settles as `finished`
   * does.
   */
  close(): Promise<void> {
    this.#end({ kind: 'closing' }, CLOSED)
    return this.finished
  }

  async #run(): Promise<void> {
    const { consumer, ownsConsumer } = this.#options
    const listeners = listenToGroup(consumer, {
      onJoin: () => this.#interrupt(),
      onRebalance: () => this.#isOver || this.#gate.close(), // a join or an error follows, which opens it
      onError: error => this.#onMembershipLost(error),
      onTopics: topics => this.#onTopics(topics),
    })
    try {
      await this.#runStates()
      if (this.#state.kind === 'failed') throw this.#state.error
      await this.#writer.end()
      this.#hasEnded = true
    } catch (error) {
      this.#end({ kind: 'failed', error: error as Error }, error as Error)
      await this.#writer.destroy(error as Error)
      throw error
    } finally {
      listeners.mute()
      await leaveGroup(consumer, this.#options)
      await this.#ownPool?.end()
      // an own consumer that was closed may still emit an error, which would end the process without a
      // listener
      if (!ownsConsumer) listeners.muteErrors()
    }
  }

  async #runStates(): Promise<void> {
    const { consumer, topics } = this.#options
    // tracked from here on: the client would join again for each stream that brings topics of its own
    consumer.topics.trackAll(...topics)
    for (let state = this.#state; 'next' in state; state = this.#state) {
      try {
        await this.#runState(state)
      } catch (error) {
        this.#onOutage(error as Error)
      }
    }
  }

  /** Does what a state is for, and then enters the next one, unless something else has. */
  async #runState(state: LiveState): Promise<void> {
    const { signal } = this.#stop
    switch (state.kind) {
      case 'joining':
        await unlessAborted(this.#options.consumer.joinGroup(), signal)
        // an error that came meanwhile makes it join again, but only after the next interruption
        return this.#enter({ kind: 'seeking', next: state.next }, state)
      case 'seeking':
        return this.#seek(state)
      case 'reading':
        return this.#read(state)
      case 'draining':
        await this.#writer.drain()
        if (state.failure) throw state.failure
        break
      case 'pausing':
        await delay(state.delayMs, undefined, { signal }).catch(() => {})
        break
      case 'restarting':
        await this.#restart(state.regression)
    }
    this.#enter(stateFor(state.next), state)
  }

  #enter(state: State, from: State): void {
    if (this.#state === from) this.#state = state
  }

  async #seek(state: LiveState): Promise<void> {
    const { starts, topics } = await unlessAborted(this.#starts.seek(), this.#stop.signal)
    if (this.#state !== state) return
    this.#topics = topics
    const { consumer } = this.#options
    const stream = await openStream(consumer, { ...this.#options, partitions: starts.length })
    if (this.#state === state) this.#state = { kind: 'reading', stream, next: state.next }
    else stream.destroy()
    this.#counts.assignments++
    this.#backoff.assigned()
    this.emit('assigned', starts)
  }

  async #read(state: LiveState & { stream: RecordStream }): Promise<void> {
    let failure: Error | undefined
    try {
      for await (const record of state.stream) await this.#take(record as KafkaRecord)
    } catch (error) {
      failure = error as Error
    } finally {
      state.stream.destroy()
    }
    if (this.#state !== state) return // the stream was destroyed for it
    // draining waits for the gate, and only the join after draining would open it
    if (failure) this.#gate.open()
    this.#state = { kind: 'draining', next: state.next, ...(failure && { failure }) }
  }

  /** Hands a record on; resolves when there is room for the next one. */
  async #take(record: KafkaRecord): Promise<void> {
    this.#backoff.reset()
    this.#counts.messagesReceived++
    const topicId = this.#options.checkpoint && this.#topics.get(record.topic)?.id
    const message = new KafkaMessage<Value>(record, topicId, this.#options.parseValue)
    await this.#writer.write(message)
  }

  /**
   * Gives up what was read and not written, so that it is read again from the positions that PostgreSQL
   * holds.
   */
  async #restart(error: PgBatchError): Promise<void> {
    await this.#writer.reset(error)
    this.#starts.reset()
    this.emit('regressed', { error })
    const { retry } = this.#options.writable
    const delayMs = this.#regressions++ === 0 ? 0 : retryDelayMs(retry, this.#regressions, Math.random())
    await delay(delayMs, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  get #isOver(): boolean {
    return !('next' in this.#state)
  }

  /** Enters a last state, unless there was one before. */
  #end(state: State, reason: Error): void {
    const last = this.#state
    if (!this.#isOver) this.#state = state
    this.#stop.abort(reason)
    this.#gate.open()
    if (last.kind === 'reading') last.stream.destroy()
  }

  /**
   * Partitions have moved, or more has to be done before reading continues: an open stream is out of date.
   */
  #interrupt(more: Partial<LiveState['next']> = {}): void {
    this.#gate.open()
    const state = this.#state
    if (!('next' in state)) return
    state.next = { ...state.next, ...more }
    if (state.kind !== 'seeking' && state.kind !== 'reading') return
    this.#state = { kind: 'draining', next: state.next }
    if (state.kind === 'reading') state.stream.destroy()
  }

  #onMembershipLost(error: Error): void {
    if ('next' in this.#state && !this.#state.next.rejoin) this.#reportOutage(error, 0, 0)
    this.#interrupt({ rejoin: true })
  }

  #onTopics(topics: TopicStates): void {
    if (!haveChanged(this.#topics, topics)) return
    this.#topics = new Map()
    this.#interrupt({ rejoin: true })
  }

  /** A table's stream has failed. When PostgreSQL has forgotten commits, that only means to read again. */
  #onWriteFailure(error: Error): void {
    const state = this.#state
    if (!isRegression(error) || !('next' in state)) {
      this.#end({ kind: 'failed', error }, error)
      return
    }
    if (state.kind === 'restarting' || state.next.regression) return
    this.#writer.giveUp(error)
    this.#interrupt({ regression: error })
  }

  /** A state has failed. @throws the error, if it would come again */
  #onOutage(error: Error): void {
    const state = this.#state
    if (!('next' in state)) return
    // while a group starts, its partitions move each time that a member joins
    const atStart = this.#counts.assignments === 0 && !isRebalance(error)
    if (!mayPass(error) || atStart) throw error
    const { attempt, delayMs } = this.#backoff.after(error)
    this.#state = { kind: 'pausing', delayMs, next: { ...state.next, rejoin: true } }
    this.#reportOutage(error, attempt, delayMs)
  }

  #reportOutage(error: Error, attempt: number, delayMs: number): void {
    this.#counts.outages++
    this.emit('outage', { error, attempt, delayMs })
  }
}
