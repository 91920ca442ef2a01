/**
 * What is used of `@platformatic/kafka`'s Consumer, as structural types: a consumer of any key and value types fits, of
 * version 1 and of version 2.
 */

export interface Assignment {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** For each topic the offsets of its partitions, by their number; holes for partitions that were not asked for. */
export type OffsetsByTopic = ReadonlyMap<string, readonly bigint[]>

/** What the cluster says of a topic. */
export interface TopicState {
  readonly id: string
  readonly partitionsCount: number
}

/** By their names; undefined for one that was asked for and is not there. */
export type TopicStates = ReadonlyMap<string, TopicState | undefined>

export interface CommittingConsumer {
  readonly assignments: readonly Assignment[] | null
  commit(options: {
    offsets: { topic: string; partition: number; offset: bigint; leaderEpoch: number }[]
  }): Promise<void>
}

export interface SeekingConsumer extends CommittingConsumer {
  readonly groupId: string
  readonly topics: {
    readonly current: readonly string[]
    trackAll(...topics: string[]): unknown
    untrackAll(...topics: string[]): unknown
  }
  joinGroup(): Promise<unknown>
  isActive(): boolean
  metadata(options: { topics: string[]; forceUpdate?: boolean }): Promise<{ topics: TopicStates }>
  listOffsets(options: { topics: string[]; timestamp: bigint }): Promise<OffsetsByTopic>
  listCommittedOffsets(options: {
    topics: { topic: string; partitions: number[] }[]
  }): Promise<OffsetsByTopic>
}

/** What `consume` gives: a Readable of records. */
export interface RecordStream extends AsyncIterable<unknown> {
  readonly readableLength: number
  destroy(error?: Error): unknown
  once(event: 'close', listener: () => void): unknown
  /** A broker has answered, or not. */
  on(event: 'fetch', listener: () => void): unknown
}

/** The client asks for partitions in the order of this array, which is its own. */
export interface ReadAssignment extends Assignment {
  readonly partitions: number[]
}

export interface ReadingConsumer extends SeekingConsumer {
  readonly assignments: readonly ReadAssignment[] | null
  consume(options: {
    topics: string[]
    autocommit: false
    mode: 'committed'
    fallbackMode: 'earliest'
    maxBytes: number
    maxBytesPerPartition: number
  }): Promise<RecordStream>
  leaveGroup(force?: boolean): Promise<void>
  close(force?: boolean): Promise<void>
  on(event: 'consumer:group:join', listener: () => void): unknown
  on(event: 'consumer:group:rebalance', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'client:metadata', listener: (metadata: { topics: TopicStates }) => void): unknown
  off(event: 'consumer:group:join', listener: () => void): unknown
  off(event: 'consumer:group:rebalance', listener: () => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'client:metadata', listener: (metadata: { topics: TopicStates }) => void): unknown
}
