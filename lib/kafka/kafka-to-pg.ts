import { type KafkaToPgOptions, resolveKafkaOptions } from './kafka-options.ts'
import { KafkaToPg } from './kafka-sink.ts'

/**
 * Reads topics into tables until it is closed. Every message is in its table, or rejected to the dead letter,
 * or skipped, before its offset is committed to Kafka. With `delivery: 'exactly-once'` a message is in its
 * table once, whatever fails and wherever partitions move.
 *
 * A failure of PostgreSQL that retries do not fix ends it: `finished` rejects with a PgBatchError, and the
 * consumer leaves its group. The same goes for an error that Kafka does not recover from (authorization, for
 * example), and for any error before the first assignment except a rebalance. It waits for the end of a later
 * outage of Kafka, however long that takes, and tries again after a growing delay of up to
 * `retry.maxDelayMs`.
 *
 * @typeParam Value what the messages' values are
 * @typeParam Row what `toRow` makes of a message
 * @throws TypeError with code ERR_INVALID_ARG_VALUE when an option is unknown, out of bounds, or contradicts
 *   another
 */
export function kafkaToPg<Value = Record<string, unknown>, Row = Value>(
  options: KafkaToPgOptions<Value, Row>,
): KafkaToPg<Value> {
  return new KafkaToPg(resolveKafkaOptions(options))
}
