import type { PgBatchError } from '../errors.ts'
import type { Stats } from '../types.ts'
import type { CommitEvent, EvolveEvent, RetryEvent } from '../writable/events.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import type { KafkaOffset } from './offsets/position.ts'

/** One transient failure of Kafka, as the 'outage' event reports it. */
export interface OutageEvent {
  readonly error: Error
  /**
   * The number of failures in a row, from 1. It is 0 for a failure that needs no pause: offsets that could
   * not be committed, which the next commit covers, and a lost membership of the group, which is joined again
   * at once.
   */
  readonly attempt: number
  /** Milliseconds until the next attempt. */
  readonly delayMs: number
}

export interface KafkaToPgEvents<Value = unknown> {
  /**
   * Partitions were assigned, at the start or by a rebalance. `starts` has the offset that each is read from.
   */
  assigned: [starts: readonly KafkaOffset[]]
  /** A transaction was committed. */
  commit: [commit: CommitEvent & { readonly table: string }]
  /** A transient failure of PostgreSQL will be retried. */
  retry: [retry: RetryEvent & { readonly table: string }]
  /** A message was permanently rejected; the rest of its batch is committed. */
  reject: [reject: RejectedRow<KafkaMessage<Value>>]
  /** A table was changed, before the rows that need it are sent. */
  evolve: [evolve: EvolveEvent & { readonly table: string }]
  outage: [outage: OutageEvent]
  /**
   * PostgreSQL has forgotten commits, by an asynchronous failover or a restore. Messages are read again from
   * the stored positions. Only `exactly-once` can notice this.
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
