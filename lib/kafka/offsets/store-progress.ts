import type { PgPoolLike } from '../../connection/pg-types.ts'
import { queryText } from '../../connection/query-text.ts'
import { raisePositions } from '../../table/checkpoint-sql.ts'
import { parseTableName } from '../../table/identifier.ts'
import type { TableName } from '../../types.ts'
import { type Beginning, useAfterOnBegin } from '../../write/begin/on-begin.ts'
import { watchedValues } from '../../write/checkpoint/check-watched.ts'
import { type CommittedPositions, checkpointRegressed } from '../../write/checkpoint/committed-positions.ts'
import { offsetIn, orderIn, orderOf } from '../../write/checkpoint/source-order.ts'
import { partitionKey, type TopicPartitionOffset } from './position.ts'

/**
 * Stores how far partitions are done in all tables. The table of checkpoints exists: the first table's stream
 * has created it.
 * @param nexts for each partition the offset after the last one that is done
 * @param committed the positions that the tables have committed; if the server has lower ones, nothing is
 *   stored
 * @throws PgBatchError with code CHECKPOINT_REGRESSED, and what the pool or the server throws
 */
export async function storeProgress(
  pool: PgPoolLike,
  { name, table }: { name: string; table: TableName },
  nexts: readonly TopicPartitionOffset[],
  committed: CommittedPositions,
  beginning: Beginning,
): Promise<void> {
  const partitions = nexts.map(({ topic, partition, topicId }) => partitionKey(topic, partition, topicId))
  const offsets = nexts.map(({ offset }) => offset - 1n)
  const watched = committed.latest()
  const values = [
    name,
    partitions,
    offsets.map(String),
    ...watchedValues(watched),
    watched.map(({ order }) => String(offsetIn(order))), // a message has no index besides its offset
  ]
  const { rows } = await useAfterOnBegin(pool, beginning, client =>
    queryText(client, raisePositions(parseTableName(table)), values),
  )
  const [lost] = rows
  if (lost) throw checkpointRegressed(committed.of(String(lost.name), String(lost.partition))!, orderIn(lost))
  for (const [index, partition] of partitions.entries())
    committed.note({ name, partition, order: orderOf({ offset: offsets[index]! }) })
}
