import type { PgPoolLike } from '../../connection/pg-types.ts'
import { queryText } from '../../connection/query-text.ts'
import { isServerError, UNDEFINED_TABLE } from '../../connection/server-error.ts'
import { readPositions } from '../../table/checkpoint-sql.ts'
import { parseTableName } from '../../table/identifier.ts'
import type { TableName } from '../../types.ts'
import { type Beginning, useAfterOnBegin } from '../begin/on-begin.ts'

export const DEFAULT_CHECKPOINT_TABLE = 'pg_batch_checkpoint'

/**
 * Reads how far a stream with `checkpoint` has come: for each partition, the highest offset up to which all
 * rows are committed. For items with an `index` that is the offset before the last one, because more items of
 * the last one may come; -1n when only items of offset 0 were written. The map is empty when nothing was
 * written yet.
 * A source may start after these offsets, but need not: the stream skips what is committed already.
 * @param name the `checkpoint.name` of the stream
 * @param table the `checkpoint.table` of the stream
 * @throws TypeError for something else than a pool; what the pool or the server throws
 */
export async function readCheckpoint(
  pool: PgPoolLike,
  name: string,
  table: TableName = DEFAULT_CHECKPOINT_TABLE,
): Promise<Map<string, bigint>> {
  if (typeof (pool as PgPoolLike | undefined)?.connect !== 'function') {
    throw new TypeError('Expected `pool` to be a pool, such as `new pg.Pool({ connectionString })`')
  }
  return readStored(pool, { name, table })
}

/** Reads the stored offset of each partition, in a transaction that `onBegin` has begun if there is one. */
export async function readStored(
  pool: PgPoolLike,
  { name, table }: { name: string; table: TableName },
  beginning?: Beginning,
): Promise<Map<string, bigint>> {
  try {
    const { rows } = await useAfterOnBegin(pool, beginning, client =>
      queryText(client, readPositions(parseTableName(table)), [name]),
    )
    return new Map(rows.map(row => [row.partition as string, BigInt(row.position as string)]))
  } catch (error) {
    // the first writer creates the table
    if (isServerError(error) && error.code === UNDEFINED_TABLE) return new Map()
    throw error
  }
}
