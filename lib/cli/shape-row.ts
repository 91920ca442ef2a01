import { PgBatchError } from '../errors.ts'
import type { SourceRow } from '../sources/rows.ts'
import type { Table } from '../types.ts'
import { type FitValue, fittersOf } from './fit-value.ts'

/**
 * Fits a row of a JSON or Parquet file to its table, in place. A json column gets the JSON that stands in the file, a
 * numeric or text column a number as it is written there.
 *
 * A string of NDJSON is a JSON string in a json column too, since JSON says which of its values are strings. Parquet and
 * CSV have no JSON values: a json column takes their texts for JSON.
 * @throws PgBatchError for a value that no column takes
 */
export function rowShaper(table: Table, file: 'json' | 'parquet'): (row: SourceRow) => SourceRow {
  const kind =
    file === 'json'
      ? ({ lists: 'json', jsonTexts: 'string' } as const)
      : ({ lists: 'array', jsonTexts: 'json' } as const)
  const fitters = fittersOf(table, kind)
  return row => {
    for (const key in row) {
      const value = row[key]
      const fitter = fitters.get(key)
      if (fitter && value !== null && value !== undefined) row[key] = fitColumn(value, fitter, key)
    }
    return row
  }
}

/** @throws PgBatchError for a value that no column takes */
export function fitColumn(value: unknown, fitter: FitValue, column: string): unknown {
  try {
    return fitter(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const reason = `Column ${JSON.stringify(column)}: the value ${error.message}`
    throw new PgBatchError('VALUE_NOT_ENCODABLE', reason, { outcome: 'not-sent', column })
  }
}
