import type { Readable } from 'node:stream'
import type { Records } from './csv/csv.ts'

/** An open input. */
export interface Source {
  /** What messages call it: the file's name, or `standard input`. */
  readonly name: string
  readonly format: 'csv' | 'ndjson' | 'json' | 'parquet'
  /** The names in the header of a CSV file, or of a Parquet file's columns; others name their keys row by row. */
  readonly header?: readonly string[]
  /** Names of the header that were made up, because a column has none. */
  readonly unnamed?: readonly string[]
  /** The header was made up, because the file has none. */
  readonly headless?: boolean
  /** The columns of the header, where the file itself says their types. */
  readonly columns?: readonly SourceColumn[]
  /** The rows as objects (`SourceRow`). Destroying it closes the file. */
  readonly rows: Readable
  /** The records of a CSV file, of which the rows are made: take these or `rows`, not both. */
  readonly records?: Records
  /** Another program is still writing it: its rows are handed on as they come. */
  readonly live?: boolean
  /** How it is read, in words. */
  readonly description: string
  /** How CSV is read, as far as that was judged by its records, in words. */
  readonly chosen?: string | undefined
  /** What was found out about the file that the user did not say, a line each. */
  readonly notes: readonly string[]
}

export interface SourceColumn {
  readonly name: string
  /** The type of PostgreSQL that holds every value. */
  readonly type: string
  /** Each row has a value. */
  readonly always: boolean
  /** It may have nanoseconds, of which PostgreSQL's types keep microseconds. */
  readonly nanoseconds: boolean
}
