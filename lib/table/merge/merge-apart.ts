import { quoteIdentifier, quoteTable } from '../identifier.ts'
import { isNotNull } from '../null-test.ts'
import { type OtherKey, takenBy } from './conflict.ts'
import { keyWithGuard, type Merge, type MergeShape, type RowSource, sameKey } from './merge.ts'

/**
 * Rows are apart if none of them brings a value of another unique key that a stored row with another key has,
 * or another row: then none of them needs a value that another one frees, and their order does not matter.
 */

/** Returns true where {@link areApart} can decide about rows of these shapes. */
export function canBeApart({ conflict, writesTwice }: Merge, shapes: readonly MergeShape[]): boolean {
  const { action, keys, otherKeys, computed } = conflict
  // DO NOTHING frees nothing, and Citus does not join every table
  if (action !== 'update' || !writesTwice || !otherKeys || keys.length === 0) return false
  const isSet = (name: string): boolean => computed.some(one => one.name === name)
  return shapes.every(({ columns, deletes }) => {
    const brings = (name: string): boolean => columns.includes(name)
    const isClear = (other: OtherKey): boolean =>
      other.equals !== undefined && other.columns.every(brings) && !other.columns.some(isSet)
    return keys.every(brings) && (deletes || takenBy(conflict, columns).every(isClear))
  })
}

/** Returns the query whose `apart` is whether the rows are, as text. */
export function areApart(merge: Merge, source: RowSource): string {
  const { conflict, names } = merge
  const upserts = source.shapes.filter(({ deletes }) => !deletes)
  const conditions = conflict.otherKeys!.flatMap(other => {
    const shapes = upserts.filter(({ columns }) => takenBy(conflict, columns).includes(other))
    if (shapes.length === 0) return []
    const numbers = shapes.map(({ number }) => number).join(', ')
    return apartBy(
      merge,
      source,
      other,
      `(SELECT * FROM ${source.from}) AS pg_batch WHERE ${quoteIdentifier(names.shape)} IN (${numbers})`,
    )
  })
  return `SELECT (${conditions.join(' AND ')})::text AS apart`
}

function apartBy(merge: Merge, source: RowSource, { columns, equals }: OtherKey, from: string): string[] {
  const others = columns.map(name => merge.columns.find(one => one.name === name)!)
  const same = others.map(
    (column, at) =>
      `stored.${quoteIdentifier(column.name)} ${equals![at]} ${source.keyOf(column, 'pg_batch')}`,
  )
  const isOther = `(${sameKey(merge, source, 'pg_batch')}) IS NOT TRUE`
  const present = columns.map(name => isNotNull(quoteIdentifier(name))).join(' AND ')
  const values = others.map(column => source.keyOf(column))
  const key = keyWithGuard(merge, source)
  // names of their own, because a column may be part of both keys
  const valueNames = values.map((_, at) => `value${at}`).join(', ')
  const names = [valueNames, ...key.map((_, at) => `key${at}`)].join(', ')
  const pairs = `SELECT DISTINCT ${[...values, ...key].join(', ')} FROM ${from} AND ${present}`
  return [
    `NOT EXISTS (SELECT FROM ${from} AND EXISTS ` +
      `(SELECT FROM ${quoteTable(merge.table)} AS stored WHERE ${same.join(' AND ')} AND ${isOther}))`,
    `NOT EXISTS (SELECT FROM (${pairs}) AS pg_batch_pairs (${names}) ` +
      `GROUP BY ${valueNames} HAVING count(*) > 1)`,
  ]
}
