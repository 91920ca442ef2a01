import type { Readable } from 'node:stream'
import type { Records } from './csv/record-rows.ts'
import type { RowLines } from './row-lines.ts'

/** An open input. */
export interface Source {
  /** The name for messages: the file's name, or `standard input`. */
  readonly name: string
  readonly format: 'csv' | 'ndjson' | 'json' | 'parquet'
  /**
   * The header of a CSV file, or the columns of a Parquet file. In other formats each row has its own keys.
   */
  readonly header?: readonly string[]
  /** Names of the header that were generated, because the column has no name. */
  readonly unnamed?: readonly string[]
  /** The header has no name for the last column. */
  readonly isLastUnnamed?: boolean
  /** The header was generated, because the file has none. */
  readonly headless?: boolean
  /** The columns with their types, if the file has types. */
  readonly columns?: readonly SourceColumn[]
  /** The rows as objects (`SourceRow`). Destroying it closes the file. */
  readonly rows: Readable
  /** The records of a CSV file, from which the rows are made. Read either these or `rows`. */
  readonly records?: Records
  /** The lines of an NDJSON file (`LineTable`s), from which the rows are made. Read either. */
  readonly lines?: Readable
  /**
   * The rows of a Parquet file as arrays of `Block`s, from which objects are made. Read either these or
   * `rows`.
   */
  readonly blocks?: Readable
  /** Returns the line on which a row begins, if rows do not come in `records`, which know it. */
  readonly lineOf?: RowLines['lineOf'] | undefined
  /** Another program is still writing the input: rows are passed on as they come. */
  readonly live?: boolean
  /** How the input is read, in words. */
  readonly description: string
  /** What was detected from the records of a CSV file, in words. */
  readonly chosen?: string | undefined
  /** What was detected, and not set by the user; one line each. */
  readonly notes: readonly string[]
}

/** Returns what is loaded of a source: tables of records or of lines, or, without these, rows. */
export function streamOf({ records, lines, rows }: Pick<Source, 'records' | 'lines' | 'rows'>): Readable {
  return records?.stream ?? lines ?? rows
}

export interface SourceColumn {
  readonly name: string
  /** A type of PostgreSQL that holds every value. */
  readonly type: string
  /** Each row has a value. */
  readonly always: boolean
  /** Values are lists, maps or structs with JSON in them, whose texts may have half of a surrogate pair. */
  readonly hasJsonWithin: boolean
  /** Values may have nanoseconds; PostgreSQL's types keep microseconds. */
  readonly nanoseconds: boolean
}
