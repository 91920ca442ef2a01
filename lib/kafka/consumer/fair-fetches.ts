import type { ReadAssignment } from './consumer-like.ts'

/*
 * A broker fills its answer to a fetch in the order of the request, up to `maxBytes`, and the client asks for its
 * partitions in the same order each time, with no bound of their own. So one with a backlog would have all of the answers
 * to itself until it is read, while messages of others that have just come wait for it. A bound for each lets all of them
 * have a part in each answer. One whose next batch is larger than its bound gets it only where it comes first: so they
 * take turns at that, as they do in Kafka's own client.
 */

/** What one of so many partitions may have of an answer. */
export function bytesPerPartition(maxBytes: number, partitions: number): number {
  return Math.max(1, Math.floor(maxBytes / Math.max(1, partitions)))
}

/** Lets another partition of each topic come first in the client's next request, which goes by these arrays: of any client. */
export function takeTurns(assignments: readonly ReadAssignment[] | null): void {
  for (const { partitions } of assignments ?? []) {
    const first = partitions.shift()
    if (first !== undefined) partitions.push(first)
  }
}

/** A part of a request: the client makes one of each partition. */
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

/** Turns over all topics and brokers: whoever has waited longest for messages comes first in the next request. */
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
