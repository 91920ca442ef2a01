import type { PgPoolLike } from '../../connection/pg-types.ts'
import { Lease } from '../../connection/pool/lease.ts'
import { queryText } from '../../connection/query-text.ts'
import { isServerError, UNDEFINED_TABLE } from '../../connection/server-error.ts'
import { readPositions } from '../../table/checkpoint-sql.ts'
import { parseTableName } from '../../table/identifier.ts'
import type { TableName } from '../../types.ts'

export const DEFAULT_CHECKPOINT_TABLE = 'pg_batch_checkpoint'

/**
 * Reads how far a stream with `checkpoint` has come: for each partition the highest offset whose row, and all before
 * it, are committed: of items with an `index`, the offset before the last one, since more items of that one may come;
 * -1n when there are only items of offset 0. Empty when nothing was written yet. A source may start behind these, and need not: what is there
 * already is skipped.
 * @param name the `checkpoint.name` of the stream
 * @param table the `checkpoint.table` of the stream
 * @throws what the pool or the server throws
 */
export async function readCheckpoint(
  pool: PgPoolLike,
  name: string,
  table: TableName = DEFAULT_CHECKPOINT_TABLE,
): Promise<Map<string, bigint>> {
  try {
    const { rows } = await Lease.use(pool, client =>
      queryText(client, readPositions(parseTableName(table)), [name]),
    )
    return new Map(rows.map(row => [row.partition as string, BigInt(row.position as string)]))
  } catch (error) {
    if (isServerError(error) && error.code === UNDEFINED_TABLE) return new Map() // the first writer makes it
    throw error
  }
}
