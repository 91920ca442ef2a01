import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import { type OtherKey, takenBy } from './conflict.ts'
import { keyWithGuard, type Merge, type MergeShape, type RowSource, sameKey } from './merge.ts'

/**
 * Rows are apart if none of them brings a value of another unique key that a stored row with another key has,
 * or another row: then none of them needs a value that another one frees, and their order does not matter.
 */

/** Returns true where {@link areApart} can decide about rows of these shapes. */
export function canBeApart({ conflict }: Merge, shapes: readonly MergeShape[]): boolean {
  const { keys, otherKeys, computed } = conflict
  if (!otherKeys || keys.length === 0) return false
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
      `${source.from} WHERE ${quoteIdentifier(names.shape)} IN (${numbers})`,
    )
  })
  return `SELECT (${conditions.join(' AND ')})::text AS apart`
}

function apartBy(merge: Merge, source: RowSource, { columns, equals }: OtherKey, from: string): string[] {
  const list = quoteList(columns)
  const same = columns.map((name, at) => {
    const column = merge.columns.find(one => one.name === name)!
    return `stored.${quoteIdentifier(name)} ${equals![at]} ${source.keyOf(column, 'pg_batch')}`
  })
  const isOther = `(${sameKey(merge, source, 'pg_batch')}) IS NOT TRUE`
  const present = columns.map(name => `${quoteIdentifier(name)} IS NOT NULL`).join(' AND ')
  const key = keyWithGuard(merge, source).join(', ')
  const pairs = `SELECT DISTINCT ${list}, ${key} FROM ${from} AND ${present}`
  return [
    `NOT EXISTS (SELECT FROM ${from} AND EXISTS ` +
      `(SELECT FROM ${quoteTable(merge.table)} AS stored WHERE ${same.join(' AND ')} AND ${isOther}))`,
    `NOT EXISTS (SELECT FROM (${pairs}) AS pg_batch_pairs GROUP BY ${list} HAVING count(*) > 1)`,
  ]
}
