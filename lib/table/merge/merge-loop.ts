import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import { cellsOf, sameSpecialKey } from './conflict.ts'
import {
  andNewer,
  excludedRow,
  insertShape,
  type Merge,
  type MergeShape,
  orderByKey,
  type RowSource,
  sameAsExcluded,
  sameKey,
  updatedBy,
  updateShape,
} from './merge.ts'
import { turnOf } from './merge-once.ts'

/**
 * Upserts and deletes staged rows one by one, in a loop on the server. It is correct with any triggers,
 * because it does what a statement for each row would do. It returns one row, whose `changed` is the number
 * of changed rows, as text.
 * @param order of the rows: their own, or that of their keys, which is the order of locks for all writers
 * @param fromTurn leaves out the rows of earlier turns
 */
export function mergeLoop(
  merge: Merge,
  source: RowSource,
  order: 'ordinal' | 'key',
  fromTurn: number,
): string {
  const { ordinal, shape, turn } = merge.names
  const names = [...source.columns.map(({ name }) => name), ordinal, shape]
  const rows =
    fromTurn === 1
      ? `SELECT ${quoteList(names)} FROM ${source.from}`
      : `SELECT ${quoteList(names)} FROM ` +
        `(SELECT ${quoteList(names)}, ${turnOf(merge, source)} FROM ${source.from}) AS pg_batch_rows ` +
        `WHERE ${quoteIdentifier(turn)} >= ${fromTurn}`
  const by = order === 'key' ? orderByKey(merge, source) : `ORDER BY ${quoteIdentifier(ordinal)}`
  const cases = source.shapes.map(one => `WHEN ${one.number} THEN ${writeOne(merge, source, one)};`)
  // a row counts as one row, also where a rule or a trigger writes more
  const body = `
#variable_conflict use_column
DECLARE pg_batch_row record; excluded record; pg_batch_count bigint; pg_batch_changed bigint := 0;
BEGIN
  FOR pg_batch_row IN ${rows} ${by} LOOP
    CASE pg_batch_row.${quoteIdentifier(shape)} ${cases.join(' ')} END CASE;
    GET DIAGNOSTICS pg_batch_count = ROW_COUNT;
    pg_batch_changed := pg_batch_changed + least(pg_batch_count, 1);
  END LOOP;
  PERFORM pg_catalog.set_config('pg_batch.changed', pg_batch_changed::text, true);
END`
  return `DO ${dollarQuoted(body)}; SELECT pg_catalog.current_setting('pg_batch.changed') AS changed`
}

function writeOne(merge: Merge, source: RowSource, shape: MergeShape): string {
  const { special, updateOnly } = merge.conflict
  if (shape.deletes) {
    const row = cellsOf('pg_batch_row')
    const newer = andNewer(merge, source, 'pg_batch_row')
    const same = special ? sameSpecialKey(special, row) : sameKey(merge, source, 'pg_batch_row')
    return `DELETE FROM ${quoteTable(merge.table)} AS stored WHERE ${same}${newer}`
  }
  if (updateOnly) return updateOne(merge, source, shape)
  if (shape.columns.length === 0) return insertShape(merge, shape, 'DEFAULT VALUES')
  const values = shape.columns.map(column => `pg_batch_row.${quoteIdentifier(column)}`)
  return insertShape(merge, shape, `VALUES (${values.join(', ')})`)
}

/** In an UPDATE without FROM, the names of an index's expressions can only be those of the stored row. */
function updateOne(merge: Merge, source: RowSource, shape: MergeShape): string {
  const { special } = merge.conflict
  if (updatedBy(merge, shape).length === 0) return 'PERFORM WHERE false'
  const row = excludedRow(merge, shape, column => source.valueOf(column, 'pg_batch_row'))
  const same = special ? sameSpecialKey(special, cellsOf('excluded')) : sameAsExcluded(merge)
  return `${row} INTO excluded; ${updateShape(merge, shape, { from: '', same })}`
}

/** Quotes text between two tags that it does not contain. */
function dollarQuoted(text: string): string {
  let tag = '$pg_batch$'
  while (text.includes(tag)) tag = `${tag.slice(0, -1)}_$`
  return `${tag}${text}\n${tag}`
}
