import { partitionKey, type TopicPartitionOffset } from './position.ts'

/**
 * Knows how far each partition is done. An offset may be committed to Kafka only if all messages before it
 * are in their tables, rejected or skipped. Several tables are written at different speeds.
 */
export class OffsetLedger<Message extends TopicPartitionOffset> {
  /**
   * For each partition the messages that follow the last offset before which everything is done, in order.
   */
  readonly #partitions = new Map<string, Partition<Message>>()
  #size = 0

  /** The number of messages that were read and are not done. */
  get size(): number {
    return this.#size
  }

  /** Notes a message, in the order of reading. */
  read(message: Message): void {
    const key = partitionKey(message.topic, message.partition)
    let partition = this.#partitions.get(key)
    if (!partition) {
      partition = new Partition()
      this.#partitions.set(key, partition)
    }
    partition.waiting.push(message)
    this.#size++
  }

  /**
   * Notes that messages are done. Returns the offsets that may now be committed, of the partitions that
   * advanced.
   */
  done(messages: readonly Message[]): TopicPartitionOffset[] {
    const touched = new Set<Partition<Message>>()
    for (const message of messages) {
      const partition = this.#partitions.get(partitionKey(message.topic, message.partition))
      if (!partition) continue
      partition.done.add(message)
      touched.add(partition)
      this.#size--
    }
    return [...touched].map(partition => partition.advance()).filter(offset => offset !== undefined)
  }
}

class Partition<Message extends TopicPartitionOffset> {
  readonly done = new Set<Message>()
  waiting: Message[] = []
  #first = 0

  /** Removes the messages that are done without a gap, and returns the offset after them. */
  advance(): TopicPartitionOffset | undefined {
    let last: Message | undefined
    for (let next = this.waiting[this.#first]; next && this.done.delete(next); ) {
      last = next
      this.#first++
      next = this.waiting[this.#first]
    }
    if (!last) return undefined
    // removing an array's head is expensive, so only when it is half of the array
    if (this.#first * 2 >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.#first)
      this.#first = 0
    }
    const { topic, partition, offset, topicId } = last
    return { topic, partition, offset: offset + 1n, ...(topicId === undefined ? {} : { topicId }) }
  }
}
