import type { PgPoolLike } from '../connection/pg-types.ts'
import type { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import type { RebalanceGate } from './consumer/rebalance-gate.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import { commitOffsets } from './offsets/commit-after.ts'
import { OffsetCommits } from './offsets/offset-commits.ts'
import { OffsetLedger } from './offsets/offset-ledger.ts'
import type { KafkaPlace } from './offsets/position.ts'
import { storeProgress } from './offsets/store-progress.ts'

export interface ProgressContext {
  readonly pool: PgPoolLike
  /** Commits to Kafka wait for it. */
  readonly gate: RebalanceGate
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** What all tables have committed. */
  readonly committed: () => CommittedPositions
  /** Called for each commit that fails. */
  readonly onFailure: (error: Error) => void
}

/**
 * How far what was read is done, and the commits that say so to Kafka.
 *
 * Several tables. Each has a stream of its own, with a checkpoint of its own name (`name:table`), whose fence drops what
 * that table has already; a partition's messages are dealt to them in order, each table is ahead or behind as it likes,
 * and a table that gets few messages says little of the partition. So the place to read on is not to be had from them:
 * it is the offset before which all messages are done in all tables, which the ledger of what was read knows. That one
 * is committed to Kafka; exactly-once it is also stored beside the fences, under `name`, for Kafka's may be ahead after
 * PostgreSQL was restored. It may well lag, by what a crash finds in flight: the fences drop what is read again.
 * One table's fence is that offset itself.
 */
export class Progress<Value> {
  readonly #options: ResolvedKafkaOptions<Value>
  readonly #context: ProgressContext
  readonly #commits: OffsetCommits
  #ledger = new OffsetLedger<KafkaMessage<Value>>()
  #onChange: () => void = () => {}

  constructor(options: ResolvedKafkaOptions<Value>, context: ProgressContext) {
    this.#options = options
    this.#context = context
    this.#commits = new OffsetCommits(
      places => this.#commit(places),
      error => {
        // refused for a rebalance, it may have closed the gate, and have failed at what would open it: the client's join
        context.gate.open()
        context.onFailure(error)
      },
    )
    context.signal.addEventListener('abort', () => this.#onChange(), { once: true })
  }

  /** Notes a message, in the order of reading. */
  read(message: KafkaMessage<Value>): void {
    this.#ledger.read(message)
  }

  /** Notes messages that are in their tables, rejected or skipped, and commits what may be. */
  done(messages: readonly KafkaMessage<Value>[]): void {
    const places = this.#ledger.done(messages)
    if (places.length > 0) this.#commits.add(places)
    this.#onChange()
  }

  /** Resolves when no commit is under way. */
  idle(): Promise<void> {
    return this.#commits.idle()
  }

  /**
   * Resolves when all that was read is done and committed, but for so many messages that are held, which are forgotten;
   * or when everything stops.
   * @param flush sends on what waits for more
   */
  async drained(held: number, flush: () => void): Promise<void> {
    const { signal } = this.#context
    while (this.#ledger.size > held && !signal.aborted) {
      const change = new Promise<void>(resolve => {
        this.#onChange = resolve
      })
      flush()
      await change
    }
    if (signal.aborted) return
    await this.idle()
    this.#ledger = new OffsetLedger()
  }

  /** Forgets what was read: it will be read again. Whoever waits for it to be done waits no longer. */
  forget(): void {
    this.#ledger = new OffsetLedger()
    this.#commits.forget()
    this.#onChange()
  }

  async #commit(places: readonly KafkaPlace[]): Promise<void> {
    const { consumer, checkpoint, onlyTable } = this.#options
    const { pool, gate, committed } = this.#context
    if (checkpoint && onlyTable === undefined) await storeProgress(pool, checkpoint, places, committed())
    await gate.passed()
    await commitOffsets(consumer, places)
  }
}
