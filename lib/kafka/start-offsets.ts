import type { PgPoolLike } from '../connection/pg-types.ts'
import { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import { readStored } from '../write/checkpoint/read-checkpoint.ts'
import { orderOf } from '../write/checkpoint/source-order.ts'
import type { TopicStates } from './consumer/consumer-like.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import { type KafkaOffset, partitionKey } from './offsets/position.ts'
import { seek } from './offsets/seek-to-stored.ts'
import { fenceName } from './sink-options.ts'
import { tableKey } from './table-sinks.ts'

type Options = Pick<
  ResolvedKafkaOptions<never>,
  'consumer' | 'topics' | 'checkpoint' | 'onlyTable' | 'writable'
>

/**
 * Finds the offsets from which partitions are read, and keeps the positions that are known to be committed.
 */
export class StartOffsets {
  readonly #options: Options
  readonly #pool: PgPoolLike
  /** The offsets from which partitions without a stored position were first read, by `partitionKey`. */
  readonly #begins = new Map<string, bigint>()
  #committed = new CommittedPositions()

  constructor(options: Options, pool: PgPoolLike) {
    this.#options = options
    this.#pool = pool
  }

  /** The positions that are committed in PostgreSQL. If it has lower ones later, it has forgotten commits. */
  get committed(): CommittedPositions {
    return this.#committed
  }

  /** Forgets what was committed: PostgreSQL has lower positions now. */
  reset(): void {
    this.#committed = new CommittedPositions()
  }

  /**
   * Sets the group's offsets to the stored positions; without a checkpoint, leaves them at the group's own.
   */
  async seek(): Promise<{ starts: KafkaOffset[]; topics: TopicStates }> {
    const { consumer, topics, checkpoint, onlyTable, writable } = this.#options
    if (!checkpoint) return seek(consumer, topics, new Map())
    const name = onlyTable === undefined ? checkpoint.name : fenceName(checkpoint.name, tableKey(onlyTable))
    const stored = await readStored(this.#pool, { name, table: checkpoint.table }, writable)
    const found = await seek(consumer, topics, stored, this.#begins)
    for (const [partition, offset] of stored)
      this.#committed.note({ name, partition, order: orderOf({ offset }) })
    for (const { topic, partition, offset } of found.starts) {
      const key = partitionKey(topic, partition, found.topics.get(topic)?.id)
      const isStored = stored.has(key) || stored.has(partitionKey(topic, partition))
      // a stored position that vanishes loses all messages; one that was never stored loses those from here
      // on
      if (!this.#begins.has(key)) this.#begins.set(key, isStored ? 0n : offset)
    }
    return found
  }
}
