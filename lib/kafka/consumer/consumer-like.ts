/**
 * The parts of `@platformatic/kafka`'s Consumer that are used, as structural types. A consumer of version 1
 * or 2 fits, with any key and value types.
 */

export interface Assignment {
  readonly topic: string
  readonly partitions: readonly number[]
}

/**
 * The offsets of each topic's partitions, by partition number. Partitions that were not requested are holes.
 */
export type OffsetsByTopic = ReadonlyMap<string, readonly bigint[]>

/** A topic as the cluster's metadata describes it. */
export interface TopicState {
  readonly id: string
  readonly partitionsCount: number
}

/** Topics by name; undefined for a topic that was requested and does not exist. */
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

/** The result of `consume`: a Readable of records. */
export interface RecordStream extends AsyncIterable<unknown> {
  readonly readableLength: number
  destroy(error?: Error): unknown
  once(event: 'close', listener: () => void): unknown
  /** A request to a broker has ended, with or without an answer. */
  on(event: 'fetch', listener: () => void): unknown
}

/** The client's own array: it requests partitions in this order. */
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
