import type { ReadingConsumer, RecordStream, TopicStates } from './consumer-like.ts'
import { bytesPerPartition, takeTurns } from './fair-fetches.ts'

/**
 * Opens a stream of the group's assigned partitions, read from the group's offsets and committed by the
 * caller.
 */
export async function openStream(
  consumer: ReadingConsumer,
  { topics, maxBytes, partitions }: { topics: readonly string[]; maxBytes: number; partitions: number },
): Promise<RecordStream> {
  const stream = await consumer.consume({
    topics: [...topics],
    autocommit: false,
    mode: 'committed',
    fallbackMode: 'earliest',
    maxBytes,
    maxBytesPerPartition: bytesPerPartition(maxBytes, partitions),
  })
  stream.on('fetch', () => takeTurns(consumer.assignments))
  return stream
}

/** Leaves the group at the end. Without Kafka the group drops this member when its session ends. */
export async function leaveGroup(
  consumer: ReadingConsumer,
  { topics, ownsConsumer }: { topics: readonly string[]; ownsConsumer: boolean },
): Promise<void> {
  try {
    if (ownsConsumer) await consumer.close(true)
    else await consumer.leaveGroup(true)
  } catch {
    // Kafka is not reachable
  }
  consumer.topics.untrackAll(...topics)
}

/** Returns true when a topic was deleted and created again, or has got further partitions. */
export function haveChanged(known: TopicStates, topics: TopicStates): boolean {
  return [...topics].some(([name, now]) => {
    const before = known.get(name)
    return before && now && (before.id !== now.id || before.partitionsCount !== now.partitionsCount)
  })
}
