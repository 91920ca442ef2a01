import type { Column } from '../table.ts'

export type Row = Readonly<Record<string, unknown>>

/** A table with a generator of its rows, for benches that `--table` sends there. */
export interface BenchTable {
  readonly columns: readonly Column[]
  /** Columns that tell each row from all others. */
  readonly key: readonly string[]
  /** What the rows are like, to be read after "Seeded rows". */
  readonly about: string
  /** The part of a bench's rows that suffices here: rows are larger. @default 1 */
  readonly share?: number
  /** The same rows on every machine and in every process. */
  rows(count: number): Row[]
  /** A row as a line of COPY's text format, as one writes it by hand for a table that one knows. */
  copyLine(row: never): string
}

/** The escapes of COPY's text format, for text that may need them. */
export function escapeCopy(text: string): string {
  return /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, one => ESCAPES[one]!) : text
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
