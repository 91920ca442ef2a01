import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import {
  andNewer,
  insertShape,
  keyWithGuard,
  type Merge,
  type MergeShape,
  orderByKey,
  type RowSource,
  sameKey,
} from './merge.ts'
import { judged } from './merge-judge.ts'

/**
 * Upserts rows of one shape by one plain INSERT … SELECT, whose command tag counts the changed rows. Where
 * two rows conflict with each other, the server refuses the update with 21000 (cardinality_violation).
 * @param order of the rows: their own, or that of their keys, which prevents deadlocks of parallel writers
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

/**
 * Upserts the last row of each key: correct where a row overwrites everything of earlier rows of its key. It
 * writes nothing where the server would refuse one of the rows.
 */
export function insertLast(merge: Merge, source: RowSource, shape: MergeShape): string {
  const distinct = keyWithGuard(merge, source).join(', ')
  const ordinal = quoteIdentifier(merge.names.ordinal)
  const judgement = judged(merge, source, shape, { from: source.from, alias: 'pg_batch' })
  const where = judgement === '' ? '' : `WHERE ${judgement} `
  return insertShape(
    merge,
    shape,
    `SELECT DISTINCT ON (${distinct}) ${quoteList(shape.columns)} FROM ${source.from} ${where}` +
      `ORDER BY ${distinct}, ${ordinal} DESC`,
  )
}

/** Deletes the rows of all keys of a source that has only deletes. */
export function deleteAll(merge: Merge, source: RowSource): string {
  const keys = quoteList(source.columns.map(({ name }) => name))
  return (
    `DELETE FROM ${quoteTable(merge.table)} AS stored ` +
    `USING (SELECT ${keys} FROM ${source.from}) AS pg_batch_rows ` +
    `WHERE ${sameKey(merge, source, 'pg_batch_rows')}${andNewer(merge, source, 'pg_batch_rows')}`
  )
}

/** Lists the ordinals of rows in the order of their keys. */
export function keyOrder(merge: Merge, source: RowSource): string {
  const ordinal = quoteIdentifier(merge.names.ordinal)
  const rows = `SELECT ${ordinal} FROM ${source.from} ${orderByKey(merge, source)}`
  return `SELECT pg_catalog.string_agg(${ordinal}::text, ',') AS ordinals FROM (${rows}) AS pg_batch_rows`
}

/** A column with the number of a row among the rows of its key. */
export function turnOf(merge: Merge, source: RowSource): string {
  const { ordinal, turn } = merge.names
  return (
    `row_number() OVER (PARTITION BY ${keyWithGuard(merge, source).join(', ')} ` +
    `ORDER BY ${quoteIdentifier(ordinal)}) AS ${quoteIdentifier(turn)}`
  )
}
