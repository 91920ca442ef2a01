import type { ReadAssignment } from './consumer-like.ts'

/*
 * A broker fills its answer to a fetch in the order of the request, up to `maxBytes`. The client requests its
 * partitions in the same order each time, without a limit for each. So a partition with a backlog would fill
 * every answer until it is read, and new messages of the others would wait. A limit for each partition gives
 * all of them a part of each answer. A partition whose next batch is larger than its limit gets it only if it
 * comes first in the request. So partitions take turns at that, as in Kafka's own client.
 */

/** Returns the limit of each partition in an answer of `maxBytes`. */
export function bytesPerPartition(maxBytes: number, partitions: number): number {
  return Math.max(1, Math.floor(maxBytes / Math.max(1, partitions)))
}

/** Rotates the order in which any client requests the partitions of each topic. */
export function takeTurns(assignments: readonly ReadAssignment[] | null): void {
  for (const { partitions } of assignments ?? []) {
    const first = partitions.shift()
    if (first !== undefined) partitions.push(first)
  }
}

/** A part of a request. The client makes one for each partition. */
export interface RequestedTopic {
  readonly topicId: string
  readonly partitions: readonly { readonly partition: number }[]
}

export interface AnsweredTopics {
  readonly responses: readonly {
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly records?: readonly unknown[] | null
    }[]
  }[]
}

/**
 * Orders requests over all topics and brokers: the partition that has waited longest for messages comes
 * first.
 */
export class FetchTurns {
  readonly #servedAt = new Map<string, number>()
  #answers = 0

  order<Topic extends RequestedTopic>(topics: readonly Topic[]): Topic[] {
    const servedAt = ({ topicId, partitions }: Topic): number =>
      this.#servedAt.get(`${topicId}:${partitions[0]?.partition}`) ?? 0
    return [...topics].sort((a, b) => servedAt(a) - servedAt(b))
  }

  served({ responses }: AnsweredTopics): void {
    this.#answers++
    for (const { topicId, partitions } of responses) {
      for (const { partitionIndex, records } of partitions) {
        if (records && records.length > 0) this.#servedAt.set(`${topicId}:${partitionIndex}`, this.#answers)
      }
    }
  }
}
