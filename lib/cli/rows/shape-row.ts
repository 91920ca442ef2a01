import { PgBatchError } from '../../errors.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { AddedColumn } from '../../table/alter-table.ts'
import type { Table } from '../../types.ts'
import type { InferredType } from '../../values/infer-type.ts'
import { type ColumnChecks, checkOfType } from '../columns/create-table.ts'
import { asItIs, asText, type FitValue, fitterOfNew, fittersOf } from './fit-value.ts'

/**
 * Fits a row of a JSON or Parquet file to its table, in place. A json column gets the JSON of the file. A
 * numeric or text column gets a number as it is written.
 * A string of NDJSON is a JSON string in a json column too, because JSON has types. Parquet and CSV have no
 * JSON values, so that a json column reads their texts as JSON.
 * @throws PgBatchError for a value that no column takes
 */
export function rowShaper(
  table: Table,
  file: 'json' | 'parquet',
  added?: AddedColumns,
): (row: SourceRow) => SourceRow {
  const fitters = fittersOf(table, file === 'json' ? JSON_FILE : PARQUET_FILE)
  return row => fitRow(row, key => fitters.get(key) ?? added?.fitterOf(key) ?? asText)
}

const JSON_FILE = { lists: 'json', jsonTexts: 'string' } as const
export const PARQUET_FILE = { lists: 'array', jsonTexts: 'json' } as const

const INFERENCE = { kind: 'json', sampled: 'the first rows that have it', evolves: true } as const

/** The columns that the writer adds to a table while rows of a JSON file are written (--evolve). */
export class AddedColumns {
  readonly #fitters = new Map<string, FitValue>()
  readonly #checks = new Map<string, ReturnType<ColumnChecks>>()

  add(columns: readonly AddedColumn[]): void {
    for (const column of columns) {
      const { name, type } = column
      this.#fitters.set(name, fitterOfNew(column, JSON_FILE))
      // the writer has inferred the type
      this.#checks.set(name, checkOfType(name, type as InferredType, INFERENCE))
    }
  }

  /** The checks of the values of later rows. */
  readonly checks: ColumnChecks = column => this.#checks.get(column)

  /** Until a key is a column, its values stay as they are, so that a type can be inferred from them. */
  fitterOf(key: string): FitValue {
    return this.#fitters.get(key) ?? asItIs
  }
}

/**
 * Fits each value of a row, in place. A value that its column does not take stays, so that a rejected row has
 * it.
 * @throws PgBatchError for the first such value
 */
export function fitRow(row: SourceRow, fitterOf: (column: string) => FitValue): SourceRow {
  let first: unknown
  for (const key in row) {
    const value = row[key]
    if (value === null || value === undefined) continue
    try {
      row[key] = fitColumn(value, fitterOf(key), key)
    } catch (error) {
      first ??= error
    }
  }
  if (first) throw first
  return row
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
