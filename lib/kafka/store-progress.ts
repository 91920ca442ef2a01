import { Lease } from '../connection/lease.ts'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { raisePositions } from '../table/checkpoint-sql.ts'
import { parseTableName } from '../table/identifier.ts'
import type { TableName } from '../types.ts'
import { type KafkaPlace, partitionKey } from './position.ts'

/**
 * Stores how far partitions are done in all tables, in the table of checkpoints, which the first of them has made.
 * @param nexts for each partition the offset after the last one that is done
 * @throws what the pool or the server throws
 */
export async function storeProgress(
  pool: PgPoolLike,
  { name, table }: { name: string; table: TableName },
  nexts: readonly KafkaPlace[],
): Promise<void> {
  const partitions = nexts.map(({ topic, partition, topicId }) => partitionKey(topic, partition, topicId))
  const positions = nexts.map(({ offset }) => String(offset - 1n))
  await Lease.use(pool, client =>
    client.query(raisePositions(parseTableName(table)), [name, partitions, positions]),
  )
}
