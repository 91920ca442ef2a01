import type { ReadingConsumer, TopicStates } from './consumer-like.ts'

export interface GroupListeners {
  /** The consumer has joined its group, and its partitions may be others. */
  readonly onJoin: () => void
  /** The group assigns its partitions again; the consumer joins it again by itself. */
  readonly onRebalance: () => void
  /** The consumer could not rejoin its group, or not reach it, and does not try again. */
  readonly onError: (error: Error) => void
  /** The consumer has asked for its topics again, as it does from time to time. */
  readonly onTopics: (topics: TopicStates) => void
}

/**
 * Listens to a consumer's membership of its group.
 * @returns what removes the listeners
 */
export function listenToGroup(
  consumer: ReadingConsumer,
  { onJoin, onRebalance, onError, onTopics }: GroupListeners,
): { mute(): void; muteErrors(): void } {
  const onMetadata = ({ topics }: { topics: TopicStates }): void => onTopics(topics)
  consumer.on('consumer:group:join', onJoin)
  consumer.on('consumer:group:rebalance', onRebalance)
  consumer.on('error', onError)
  consumer.on('client:metadata', onMetadata)
  return {
    mute() {
      consumer.off('consumer:group:join', onJoin)
      consumer.off('consumer:group:rebalance', onRebalance)
      consumer.off('client:metadata', onMetadata)
    },
    muteErrors: () => consumer.off('error', onError),
  }
}
