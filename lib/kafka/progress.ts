import type { PgPoolLike } from '../connection/pg-types.ts'
import type { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import type { RebalanceGate } from './consumer/rebalance-gate.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import { commitOffsets } from './offsets/commit-after.ts'
import { OffsetCommits } from './offsets/offset-commits.ts'
import { OffsetLedger } from './offsets/offset-ledger.ts'
import type { TopicPartitionOffset } from './offsets/position.ts'
import { storeProgress } from './offsets/store-progress.ts'

export interface ProgressContext {
  readonly pool: PgPoolLike
  /** Commits to Kafka wait until it is open. */
  readonly gate: RebalanceGate
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** The positions that all tables have committed. */
  readonly committed: () => CommittedPositions
  /** Called for each commit that fails. */
  readonly onFailure: (error: Error) => void
}

/**
 * Knows how far messages are done, and commits those offsets to Kafka.
 *
 * With one table, its checkpoint is the offset to continue from. With several, each table's stream has a
 * checkpoint of its own (`name:table`), which skips what that table has already. These checkpoints advance at
 * different speeds, and one of a table that gets few messages says little about the partition. The offset to
 * continue from is the one before which all messages are done in all tables. A ledger of the messages that
 * were read finds it. It is committed to Kafka; with exactly-once it is also stored beside the checkpoints,
 * under `name`, because Kafka's may be ahead after PostgreSQL was restored. It may lag by what is in flight
 * in a crash: the tables' checkpoints skip what is read again.
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
      offsets => this.#commit(offsets),
      error => {
        // a commit that a rebalance rejects makes the client join again; if that fails too, nothing else
        // opens the gate
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

  /**
   * Notes messages that are in their tables, rejected or skipped, and commits the offsets that may be
   * committed.
   */
  done(messages: readonly KafkaMessage<Value>[]): void {
    const offsets = this.#ledger.done(messages)
    if (offsets.length > 0) this.#commits.add(offsets)
    this.#onChange()
  }

  /** Resolves when no commit is in flight. */
  idle(): Promise<void> {
    return this.#commits.idle()
  }

  /**
   * Resolves when all messages are done and committed, except the held ones, which are forgotten; or when
   * everything stops.
   * @param held the number of messages that are held
   * @param flush sends the batches that are not full yet
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

  /** Forgets what was read, since it will be read again. `drained` waits for it no longer. */
  forget(): void {
    this.#ledger = new OffsetLedger()
    this.#commits.forget()
    this.#onChange()
  }

  async #commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const { consumer, checkpoint, onlyTable, writable } = this.#options
    const { pool, gate, committed } = this.#context
    if (checkpoint && onlyTable === undefined) {
      await storeProgress(pool, checkpoint, offsets, committed(), writable)
    }
    await gate.passed()
    await commitOffsets(consumer, offsets)
  }
}
