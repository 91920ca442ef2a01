import type { Position } from '../../write/checkpoint/position.ts'

/** A message's position: its topic, partition and offset. */
export interface TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly topicId?: string | undefined
}

/** An offset of a partition. As a position to start from, it is the offset that is read first. */
export interface KafkaOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/**
 * Returns the name of a partition in a checkpoint: `topic:partition:id`. It contains the topic's id because
 * the offsets of a topic that was deleted and created again start at 0: without the id, a checkpoint would
 * skip all of its messages.
 */
export function partitionKey(topic: string, partition: number, topicId?: string): string {
  return topicId === undefined ? `${topic}:${partition}` : `${topic}:${partition}:${topicId}`
}

/** Returns the parts of a partition's name. A topic's name has no colon. */
export function parsePartitionKey(key: string): { topic: string; partition: number; topicId?: string } {
  const [topic = '', partition = '', topicId] = key.split(':')
  return { topic, partition: Number(partition), ...(topicId === undefined ? {} : { topicId }) }
}

/**
 * Returns a message's position, for the option `checkpoint` of PgBatchWritable.
 * @example checkpoint: { name: 'orders', position: kafkaPosition }
 */
export function kafkaPosition({ topic, partition, offset, topicId }: TopicPartitionOffset): Position {
  return { partition: partitionKey(topic, partition, topicId), offset }
}

/**
 * Returns for each partition the offset after the highest of its messages, which is the one to commit to
 * Kafka.
 */
export function nextOffsets(messages: Iterable<TopicPartitionOffset>): KafkaOffset[] {
  const next = new Map<string, KafkaOffset>()
  for (const { topic, partition, offset } of messages) {
    const key = partitionKey(topic, partition)
    const known = next.get(key)
    if (known === undefined || known.offset <= offset)
      next.set(key, { topic, partition, offset: offset + 1n })
  }
  return [...next.values()]
}
