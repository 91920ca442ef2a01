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
import { foldRow, foldVariables, writeFolded } from './merge-fold.ts'
import { turnOf } from './merge-once.ts'

/**
 * Upserts and deletes staged rows one by one, in a loop on the server. It is correct with any triggers,
 * because it does what a statement for each row would do. In the order of keys, it folds the rows of a key
 * where nothing can see the states in between. It returns one row, whose `changed` is the number
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
  const { shape, turn } = merge.names
  const checks = order === 'key' ? merge.conflict.stateChecks : undefined
  const isNumbered = fromTurn > 1 || checks !== undefined
  const from = isNumbered ? numberedFrom(merge, source, fromTurn) : source.from
  const names = quoteList([...namesOf(merge, source), ...(isNumbered ? [turn] : [])])
  const by = order === 'key' ? orderByKey(merge, source) : `ORDER BY ${quoteIdentifier(merge.names.ordinal)}`
  const cases = source.shapes.map(one => `WHEN ${one.number} THEN ${writeOne(merge, source, one)};`)
  // a row counts as one row, also where a rule or a trigger writes more
  const write = `
    CASE pg_batch_row.${quoteIdentifier(shape)} ${cases.join(' ')} END CASE;
    GET DIAGNOSTICS pg_batch_count = ROW_COUNT;
    pg_batch_changed := pg_batch_changed + least(pg_batch_count, 1);`
  const body = `
#variable_conflict use_column
DECLARE pg_batch_row record; excluded record; pg_batch_count bigint; pg_batch_changed bigint := 0;
  ${checks ? foldVariables(merge) : ''}
BEGIN
  FOR pg_batch_row IN SELECT ${names} FROM ${from} ${by} LOOP
    ${checks ? foldRow(merge, source, { checks, write, firstTurn: fromTurn }) : write}
  END LOOP;
  ${checks ? writeFolded(merge, source) : ''}
  PERFORM pg_catalog.set_config('pg_batch.changed', pg_batch_changed::text, true);
END`
  return `DO ${dollarQuoted(body)}; SELECT pg_catalog.current_setting('pg_batch.changed') AS changed`
}

/** The rows from a turn on, with the numbers of their turns. */
function numberedFrom(merge: Merge, source: RowSource, fromTurn: number): string {
  return (
    `(SELECT ${quoteList(namesOf(merge, source))}, ${turnOf(merge, source)} FROM ${source.from}) ` +
    `AS pg_batch_rows WHERE ${quoteIdentifier(merge.names.turn)} >= ${fromTurn}`
  )
}

function namesOf({ names }: Merge, { columns }: RowSource): string[] {
  return [...columns.map(({ name }) => name), names.ordinal, names.shape]
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
