import type { Column } from '../table.ts'

export type Row = Readonly<Record<string, unknown>>

/** A table with a generator of its rows, for `--table`. */
export interface BenchTable {
  readonly columns: readonly Column[]
  /** Columns whose values identify a row. */
  readonly key: readonly string[]
  /** A description of the rows, which follows "Seeded rows". */
  readonly about: string
  /** The share of a benchmark's rows that this table uses, since its rows are larger. @default 1 */
  readonly share?: number
  /** Returns seeded rows, the same on every machine and in every process. */
  rows(count: number): Row[]
  /** Returns a row as a line of COPY's text format, as hand-written for this table. */
  copyLine(row: never): string
}

/** Escapes text for COPY's text format. */
export function escapeCopy(text: string): string {
  return /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, one => ESCAPES[one]!) : text
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
