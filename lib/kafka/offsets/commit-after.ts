import type { CommittingConsumer } from '../consumer/consumer-like.ts'
import { type KafkaOffset, type KafkaPlace, nextOffsets } from './position.ts'

/**
 * Makes an `afterCommit` for PgBatchWritable that commits a batch's offsets to Kafka, in one request. Partitions that
 * are no longer the consumer's are left out: after a rebalance the client still delivers what it had buffered of them.
 *
 * The messages of a partition have to be committed in order: leave `concurrency` at 1, or give each partition a lane
 * (`laneOf: message => message.partition`).
 * @throws what the client throws
 */
export function commitAfter(consumer: CommittingConsumer): (batch: readonly KafkaPlace[]) => Promise<void> {
  return batch => commitOffsets(consumer, nextOffsets(batch))
}

/**
 * Commits the offsets of those partitions that are the consumer's. Kafka does not fence commits: one for a partition
 * that has moved would take its new owner's offset back.
 */
export async function commitOffsets(
  consumer: CommittingConsumer,
  offsets: readonly KafkaOffset[],
): Promise<void> {
  const mine = offsets.filter(({ topic, partition }) =>
    consumer.assignments?.some(
      assigned => assigned.topic === topic && assigned.partitions.includes(partition),
    ),
  )
  // -1: an epoch that was not asked for (KIP-320)
  if (mine.length > 0)
    await consumer.commit({
      offsets: mine.map(({ topic, partition, offset }) => ({ topic, partition, offset, leaderEpoch: -1 })),
    })
}
