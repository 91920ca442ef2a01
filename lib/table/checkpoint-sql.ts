import { quoteLiteral, quoteTable, type TableParts } from './identifier.ts'

/**
 * The table of checkpoints: for each name and partition of a source, the highest offset that is in the target
 * table. A position of NULL means that nothing was written yet. `item_index` is for sources that give several
 * items the same offset: the items of the offset after `position`, up to this index, are also in the target
 * table. Tables of earlier versions do not have it until a stream needs it.
 */
export function createCheckpointTable(table: TableParts): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (
    name text NOT NULL, partition text NOT NULL, position bigint, item_index bigint,
    updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, partition))`
}

/** The columns that tables of all versions have. */
export const CHECKPOINT_COLUMNS: readonly string[] = Object.freeze([
  'name',
  'partition',
  'position',
  'updated_at',
])

/** Adds rows for partitions that have none. Parameters: name, partitions. */
export function addPartitions(table: TableParts): string {
  return `INSERT INTO ${quoteTable(table)} (name, partition)
    SELECT $1, partition FROM pg_catalog.unnest($2::text[]) AS p(partition) ORDER BY partition
    ON CONFLICT (name, partition) DO NOTHING`
}

/**
 * Locks partitions until the transaction ends, in the same order for all writers, and returns their
 * positions. A second writer waits here, and then finds what the first one has stored. Parameters: name,
 * partitions.
 */
export function lockPartitions(table: TableParts): string {
  return `SELECT partition, position::text, ${ITEM_INDEX} FROM ${quoteTable(table)} AS c
    WHERE name = $1 AND partition = ANY ($2::text[]) ORDER BY partition FOR UPDATE`
}

/** Read through JSON, so that it is NULL where the table does not have the column. */
const ITEM_INDEX = "pg_catalog.to_jsonb(c) ->> 'item_index' AS item_index"

/** Asks whether the table has the column `item_index`. */
export function hasItemIndex(table: TableParts): string {
  return `SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute
    WHERE attname = 'item_index' AND NOT attisdropped
    AND attrelid = ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass)::text AS there`
}

export function addItemIndex(table: TableParts): string {
  return `ALTER TABLE ${quoteTable(table)} ADD COLUMN IF NOT EXISTS item_index bigint`
}

/** Reads positions of any names. Parameters: names, partitions. */
export function watchPositions(table: TableParts): string {
  return watch(table, 1)
}

/**
 * Locks partitions as `lockPartitions` does, and reads others in the same round trip. Parameters: name,
 * partitions; names and partitions of the others.
 */
export function lockAndWatch(table: TableParts): string {
  return `WITH locked AS (${lockPartitions(table)})
    SELECT $1::text AS name, partition, position, item_index, 'yes' AS locked FROM locked
    UNION ALL ${watch(table, 3)}`
}

function watch(table: TableParts, parameter: number): string {
  return `SELECT c.name, c.partition, c.position::text, ${ITEM_INDEX}, 'no' AS locked
    FROM ${quoteTable(table)} AS c
    JOIN unnest($${parameter}::text[], $${parameter + 1}::text[]) AS w(name, partition)
    ON w.name = c.name AND w.partition = c.partition`
}

/**
 * Stores positions. Parameters: name, partitions, positions.
 * @param proof a condition that makes the statement fail if it is false
 */
export function storePositions(table: TableParts, proof: string): string {
  return `UPDATE ${quoteTable(table)} AS c SET position = p.position, updated_at = now()
    FROM unnest($2::text[], $3::bigint[]) AS p(partition, position)
    WHERE c.name = $1 AND c.partition = p.partition AND ${proof}`
}

/**
 * Stores positions with the indexes of items. Parameters: name, partitions, positions, indexes; `proof` as
 * above.
 */
export function storeIndexedPositions(table: TableParts, proof: string): string {
  return `UPDATE ${quoteTable(table)} AS c
    SET position = p.position, item_index = p.item_index, updated_at = now()
    FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS p(partition, position, item_index)
    WHERE c.name = $1 AND c.partition = p.partition AND ${proof}`
}

/**
 * Stores positions in a transaction of its own; a higher stored position is kept. If one of the watched
 * positions is missing or lower on the server, it stores nothing and returns those. Parameters: as
 * `storePositions`; then names, partitions and positions that are watched.
 */
export function raisePositions(table: TableParts): string {
  return `WITH regressed AS (SELECT w.name, w.partition, c.position, ${ITEM_INDEX}
      FROM unnest($4::text[], $5::text[], $6::bigint[]) AS w(name, partition, position)
      LEFT JOIN ${quoteTable(table)} AS c ON c.name = w.name AND c.partition = w.partition
      WHERE c.position IS NULL OR c.position < w.position),
    raised AS (INSERT INTO ${quoteTable(table)} AS c (name, partition, position)
      SELECT $1, partition, position FROM unnest($2::text[], $3::bigint[]) AS p(partition, position)
      WHERE NOT EXISTS (SELECT FROM regressed) ORDER BY partition
      ON CONFLICT (name, partition) DO UPDATE SET position = excluded.position, updated_at = now()
      WHERE c.position IS NULL OR c.position < excluded.position)
    SELECT name, partition, position::text, item_index FROM regressed`
}

/** Reads all positions of a name. Parameter: name. */
export function readPositions(table: TableParts): string {
  return `SELECT partition, position::text FROM ${quoteTable(table)} WHERE name = $1 AND position IS NOT NULL`
}
