import type { CommittingConsumer } from '../consumer/consumer-like.ts'
import { type KafkaOffset, nextOffsets, type TopicPartitionOffset } from './position.ts'

/**
 * Returns an `afterCommit` for PgBatchWritable that commits a batch's offsets to Kafka, in one request. It
 * leaves out partitions that are no longer the consumer's: after a rebalance the client still delivers what
 * it had buffered.
 *
 * The messages of a partition have to be committed in order. Leave `concurrency` at 1, or give each partition
 * a lane (`laneOf: message => message.partition`).
 * @throws what the client throws
 */
export function commitAfter(
  consumer: CommittingConsumer,
): (batch: readonly TopicPartitionOffset[]) => Promise<void> {
  return batch => commitOffsets(consumer, nextOffsets(batch))
}

/**
 * Commits the offsets of the consumer's own partitions. Kafka accepts commits of any member: one for a
 * partition that has moved would set its new owner's offset back.
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
  // -1: no epoch is known (KIP-320)
  if (mine.length > 0)
    await consumer.commit({
      offsets: mine.map(({ topic, partition, offset }) => ({ topic, partition, offset, leaderEpoch: -1 })),
    })
}
