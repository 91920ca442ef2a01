import type { PgBatchError } from '../errors.ts'
import type { Stats } from '../types.ts'
import type { CommitEvent, RetryEvent } from '../writable/events.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import type { KafkaOffset } from './offsets/position.ts'

/** What the 'outage' event tells: Kafka could not be reached or asked for patience, and will be tried again. */
export interface OutageEvent {
  readonly error: Error
  /**
   * Failures in a row, from 1; 0 for what is met at once: offsets that could not be committed, which the next commit makes
   * good, and a membership of the group that was lost, upon which it is joined again.
   */
  readonly attempt: number
  /** Milliseconds until the next attempt. */
  readonly delayMs: number
}

export interface KafkaToPgEvents<Value = unknown> {
  /** Partitions were assigned, at the start or by a rebalance: where each is read from. */
  assigned: [starts: readonly KafkaOffset[]]
  /** A transaction was committed. */
  commit: [commit: CommitEvent & { readonly table: string }]
  /** A transient failure of PostgreSQL will be tried again. */
  retry: [retry: RetryEvent & { readonly table: string }]
  /** A message was refused for good; the rest of its batch is committed. */
  reject: [reject: RejectedRow<KafkaMessage<Value>>]
  outage: [outage: OutageEvent]
  /**
   * PostgreSQL has forgotten commits (`exactly-once` notices it): an asynchronous failover, a restore. The messages are
   * read again from the positions that it holds.
   */
  regressed: [regression: { readonly error: PgBatchError }]
}

/** Counts up to this moment: of all tables together, and of the consumer. */
export interface KafkaToPgStats extends Stats {
  /** Messages that were read. After a rebalance or a restart some are read again, and counted again. */
  messagesReceived: number
  /** How often partitions were assigned. */
  assignments: number
  outages: number
}
