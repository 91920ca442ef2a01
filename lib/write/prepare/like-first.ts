import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { RowSet } from '../rows/row-set.ts'

/*
 * Rows of one source have the same keys in the same order. A loop that finds them all alike costs a fraction
 * of what it costs to look at each row by itself. It returns false, too, where keys or values cannot be read:
 * the caller then looks at each row.
 */

/** Returns true when the row has keys, and they are the first of `keys` in the same order. */
export function startsAs(row: object, keys: readonly string[]): boolean {
  let matched = 0
  for (const key in row) {
    if (key !== keys[matched]) return false
    matched++
  }
  return matched > 0
}

/** Returns true when `startsAs` does for all rows. */
export function allStartAs(rows: RowSet, keys: readonly string[]): boolean {
  try {
    for (let index = 0; index < rows.length; index++) if (!startsAs(rows.at(index), keys)) return false
    return true
  } catch {
    return false
  }
}

/**
 * Returns the columns that all rows lack, as `'2,5,'`, where every row has the same keys as the first one,
 * and a value for each; undefined where each row has to be looked at.
 * @param defaulted indexes of the columns whose missing value is not NULL
 */
export function missingInAll(
  rows: RowSet,
  {
    columns,
    defaulted,
  }: { readonly columns: readonly PlannedColumn[]; readonly defaulted: readonly number[] },
): string | undefined {
  try {
    const first = rows.at(0)
    const keys = Object.keys(first)
    const owned = new Set(keys)
    const absent: number[] = []
    for (const column of defaulted) {
      const { name, read } = columns[column]!
      if (read(first) === undefined) absent.push(column)
      else if (!owned.has(name)) return undefined // it comes from a getter, which another row may lack
    }
    const reads = absent.map(column => columns[column]!.read)
    for (let index = 0; index < rows.length; index++) {
      const row = rows.at(index)
      if (!hasValues(row, keys)) return undefined
      for (const read of reads) if (read(row) !== undefined) return undefined
    }
    return absent.map(column => `${column},`).join('')
  } catch {
    return undefined
  }
}

/**
 * Returns true when a row has exactly these keys, in this order, and a value for each; false where a getter
 * throws.
 */
export function hasValues(row: object, keys: readonly string[]): boolean {
  let matched = 0
  try {
    for (const key in row) {
      if (key !== keys[matched] || (row as Record<string, unknown>)[key] === undefined) return false
      matched++
    }
  } catch {
    return false
  }
  return matched > 0 && matched === keys.length
}
