import type { Position } from '../../write/checkpoint/position.ts'

/** Where a message stands. */
export interface KafkaPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly topicId?: string | undefined
}

/** An offset of a partition: as a position to start from, the offset that is read first. */
export interface KafkaOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/**
 * The name of a partition in a checkpoint: `topic:partition:id`. With the topic's id, since the offsets of a topic that
 * was deleted and made again start from 0, and a checkpoint without it would take all that comes for known.
 */
export function partitionKey(topic: string, partition: number, topicId?: string): string {
  return topicId === undefined ? `${topic}:${partition}` : `${topic}:${partition}:${topicId}`
}

/** The parts of a partition's name; a topic's name has no colon in it. */
export function parsePartitionKey(key: string): { topic: string; partition: number; topicId?: string } {
  const [topic = '', partition = '', topicId] = key.split(':')
  return { topic, partition: Number(partition), ...(topicId === undefined ? {} : { topicId }) }
}

/**
 * The position of a message, for the option `checkpoint` of PgBatchWritable.
 * @example checkpoint: { name: 'orders', position: kafkaPosition }
 */
export function kafkaPosition({ topic, partition, offset, topicId }: KafkaPlace): Position {
  return { partition: partitionKey(topic, partition, topicId), offset }
}

/** For each partition of some messages the offset after its highest one, which is what Kafka wants committed. */
export function nextOffsets(messages: Iterable<KafkaPlace>): KafkaOffset[] {
  const next = new Map<string, KafkaOffset>()
  for (const { topic, partition, offset } of messages) {
    const key = partitionKey(topic, partition)
    const known = next.get(key)
    if (known === undefined || known.offset <= offset)
      next.set(key, { topic, partition, offset: offset + 1n })
  }
  return [...next.values()]
}
