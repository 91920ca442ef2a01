import { type KafkaPlace, partitionKey } from './position.ts'

/**
 * Knows how far each partition is done: an offset may be committed to Kafka only when all messages before it are in
 * the table, or rejected or skipped; of several tables, each is written at its own pace.
 */
export class OffsetLedger<Message extends KafkaPlace> {
  /** For each partition the messages that were read and not all of whose predecessors are done, in their order. */
  readonly #partitions = new Map<string, Partition<Message>>()
  #size = 0

  /** Messages that were read and are not done. */
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

  /** Notes that messages are done; returns the offsets that may now be committed, of partitions that came further. */
  done(messages: readonly Message[]): KafkaPlace[] {
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

class Partition<Message extends KafkaPlace> {
  readonly done = new Set<Message>()
  waiting: Message[] = []
  #first = 0

  /** Leaves behind what is done without a gap, and returns the offset after it. */
  advance(): KafkaPlace | undefined {
    let last: Message | undefined
    for (let next = this.waiting[this.#first]; next && this.done.delete(next); ) {
      last = next
      this.#first++
      next = this.waiting[this.#first]
    }
    if (!last) return undefined
    // an array's head is dear to remove: only when it is half of it
    if (this.#first * 2 >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.#first)
      this.#first = 0
    }
    const { topic, partition, offset, topicId } = last
    return { topic, partition, offset: offset + 1n, ...(topicId === undefined ? {} : { topicId }) }
  }
}
