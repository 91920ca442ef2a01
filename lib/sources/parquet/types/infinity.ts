import type { LeafType } from './leaf-type.ts'

/** The counts of days and of fractions of a second that mean infinity, by the type of the column. */
const MOST: Readonly<Record<string, number | bigint>> = {
  date: 2 ** 31 - 1,
  timestamp: 2n ** 63n - 1n,
  timestamptz: 2n ** 63n - 1n,
}

/**
 * Returns the type of dates and timestamps as DuckDB writes them: the highest count is infinity, and the same
 * below zero is -infinity. For other writers these are a day and an instant. Returns all other types as they
 * are.
 * @see https://duckdb.org/docs/current/sql/data_types/timestamp#special-values
 */
export function withInfinity(type: LeafType): LeafType {
  const most = MOST[type.sqlType]
  if (most === undefined) return type
  const convert = type.convert as (stored: number | bigint) => unknown
  return {
    ...type,
    convert: (stored: number | bigint) =>
      stored === most ? 'infinity' : stored === -most ? '-infinity' : convert(stored),
  }
}
