import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import {
  insertShape,
  keyColumns,
  keyWithGuard,
  type Merge,
  type MergeShape,
  orderByKey,
  type RowSource,
  sameKey,
} from './merge.ts'

/**
 * Upserts of rows of one shape by one plain INSERT … SELECT, whose command tag counts what it has changed. Where two
 * rows conflict with each other, the server refuses an update with 21000 (cardinality_violation).
 * @param order by which rows go in: that of rows, or that of their keys, in which parallel writers do not deadlock
 */
export function insertAll(
  merge: Merge,
  source: RowSource,
  shape: MergeShape,
  order: 'ordinal' | 'key',
): string {
  const by = order === 'key' ? orderByKey(merge, source) : `ORDER BY ${quoteIdentifier(merge.names.ordinal)}`
  return insertShape(merge, shape, `SELECT ${quoteList(shape.columns)} FROM ${source.from} ${by}`)
}

/** The same, of the last row of each key: right where a row leaves nothing of an earlier one with its key. */
export function insertLast(merge: Merge, source: RowSource, shape: MergeShape): string {
  const distinct = keyWithGuard(merge, source).join(', ')
  const ordinal = quoteIdentifier(merge.names.ordinal)
  return insertShape(
    merge,
    shape,
    `SELECT DISTINCT ON (${distinct}) ${quoteList(shape.columns)} FROM ${source.from} ORDER BY ${distinct}, ${ordinal} DESC`,
  )
}

/** The same, of the first row of each key, or of its `turn`th. */
export function insertTurn(merge: Merge, source: RowSource, shape: MergeShape, turn: number): string {
  const { ordinal, turn: turnName } = merge.names
  const names = [...new Set([...shape.columns, ...keyColumns(merge).map(({ name }) => name), ordinal])]
  const rows = `SELECT ${quoteList(names)}, ${turnOf(merge, source)} FROM ${source.from}`
  return insertShape(
    merge,
    shape,
    `SELECT ${quoteList(shape.columns)} FROM (${rows}) AS pg_batch_rows ` +
      `WHERE ${quoteIdentifier(turnName)} = ${turn} ${orderByKey(merge, source)}`,
  )
}

/** Deletes the rows of all keys. Its rows are deletes only. */
export function deleteAll(merge: Merge, source: RowSource): string {
  const keys = quoteList(source.columns.map(({ name }) => name))
  return (
    `DELETE FROM ${quoteTable(merge.table)} AS stored USING (SELECT ${keys} FROM ${source.from}) AS pg_batch_rows ` +
    `WHERE ${sameKey(merge, source, 'pg_batch_rows')}`
  )
}

/** A column that says which of the rows with its key a row is. */
export function turnOf(merge: Merge, source: RowSource): string {
  const { ordinal, turn } = merge.names
  return (
    `row_number() OVER (PARTITION BY ${keyWithGuard(merge, source).join(', ')} ` +
    `ORDER BY ${quoteIdentifier(ordinal)}) AS ${quoteIdentifier(turn)}`
  )
}
