import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import {
  deletesAmong,
  insertShape,
  keyColumns,
  keyWithGuard,
  type Merge,
  type MergeShape,
  orderByKey,
  type RowSource,
  sameKey,
} from './merge.ts'
import { judged } from './merge-judge.ts'

/**
 * Merges deletes and upserts of one shape by plain statements, for servers that cannot lock rows by SELECT or
 * write a table twice in one statement: Citus refuses `FOR UPDATE` on distributed tables. It is correct where
 * the last row of a key overwrites everything of earlier ones. In this order, so that a deleted row frees its
 * other unique keys:
 *
 *     deleteFirst        keys whose first row is a delete; its command tag counts the stored rows
 *     deleteLast         keys that an earlier row has upserted and whose last row is a delete
 *     insertLastUpserts  keys whose last row is an upsert, in the order of keys
 *
 * DELETE has no ORDER BY, so that two writers of the same keys may deadlock. That is a transient error
 * (40P01), after which the transaction is tried again.
 */

/**
 * Returns one row of texts: `changed`, the number of rows that always change something (upserts, and deletes
 * after an upsert); `undone`, the number of keys for `deleteLast`; `passed`, whether the server would refuse
 * none of the rows. It reads only the source.
 */
export function countSteps(merge: Merge, source: RowSource): string {
  const { shape, previous, next } = quotedNames(merge)
  const deletes = deletesOf(source)
  const changes = `${shape} NOT IN ${deletes} OR ${previous} NOT IN ${deletes}`
  const upsert = upsertOf(source)
  const rows = rowsWithNeighbours(merge, source)
  const from = `${rows} WHERE ${shape} = ${upsert.number} AND ${next} IS NOT NULL`
  const passed = judged(merge, source, upsert, { from, alias: 'pg_batch_rows' }) || 'true'
  const isUndone = `${shape} IN ${deletes} AND ${next} IS NULL AND ${previous} IS NOT NULL`
  return (
    `SELECT (${passed})::text AS passed, count(*) FILTER (WHERE ${changes})::text AS changed, ` +
    `count(*) FILTER (WHERE ${isUndone})::text AS undone FROM ${rows}`
  )
}

/** Deletes the rows of keys whose first row is a delete. */
export function deleteFirst(merge: Merge, source: RowSource): string {
  return deleteWhere(merge, source, `${quotedNames(merge).previous} IS NULL`)
}

/** Deletes the rows of keys whose last row is a delete that is not the first one. */
export function deleteLast(merge: Merge, source: RowSource): string {
  const { previous, next } = quotedNames(merge)
  return deleteWhere(merge, source, `${next} IS NULL AND ${previous} IS NOT NULL`)
}

/** Upserts the last row of each key, unless it is a delete. */
export function insertLastUpserts(merge: Merge, source: RowSource): string {
  const { shape, next } = quotedNames(merge)
  const upsert = upsertOf(source)
  return insertShape(
    merge,
    upsert,
    `SELECT ${quoteList(upsert.columns)} FROM ${rowsWithNeighbours(merge, source)} ` +
      `WHERE ${shape} = ${upsert.number} AND ${next} IS NULL ${orderByKey(merge, source)}`,
  )
}

function deleteWhere(merge: Merge, source: RowSource, condition: string): string {
  const keys = quoteList(keyColumns(merge).map(({ name }) => name))
  const rows =
    `SELECT ${keys} FROM ${rowsWithNeighbours(merge, source)} ` +
    `WHERE ${quotedNames(merge).shape} IN ${deletesOf(source)} AND ${condition}`
  return (
    `DELETE FROM ${quoteTable(merge.table)} AS stored USING (${rows}) AS pg_batch_deletes ` +
    `WHERE ${sameKey(merge, source, 'pg_batch_deletes')}`
  )
}

/** The rows, each with the shapes of the rows of its key before and after it. */
function rowsWithNeighbours(merge: Merge, source: RowSource): string {
  const { ordinal, shape, previous, next } = quotedNames(merge)
  const names = [...source.columns.map(({ name }) => quoteIdentifier(name)), ordinal, shape]
  const key = keyWithGuard(merge, source).join(', ')
  return (
    `(SELECT ${names.join(', ')}, lag(${shape}) OVER pg_batch_key AS ${previous}, ` +
    `lead(${shape}) OVER pg_batch_key AS ${next} FROM ${source.from} ` +
    `WINDOW pg_batch_key AS (PARTITION BY ${key} ORDER BY ${ordinal})) AS pg_batch_rows`
  )
}

function upsertOf({ shapes }: RowSource): MergeShape {
  return shapes.find(one => !one.deletes)!
}

function deletesOf({ shapes }: RowSource): string {
  return `(${deletesAmong(shapes).join(', ')})`
}

function quotedNames({ names }: Merge): Record<'ordinal' | 'shape' | 'previous' | 'next', string> {
  const { ordinal, shape, previous, next } = names
  return {
    ordinal: quoteIdentifier(ordinal),
    shape: quoteIdentifier(shape),
    previous: quoteIdentifier(previous),
    next: quoteIdentifier(next),
  }
}
