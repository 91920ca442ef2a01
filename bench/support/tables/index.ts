import { csvLine } from '../rows.ts'
import type { BenchTable } from './bench-table.ts'
import { lineitem } from './lineitem.ts'
import { mixed } from './mixed.ts'
import { narrow } from './narrow.ts'
import { strings } from './strings.ts'
import { wide } from './wide.ts'

/** The tables of `--table`. The first is the default of all benchmarks. */
export const TABLES = { mixed, lineitem, strings, wide, narrow } satisfies Record<string, BenchTable>

export type TableName = keyof typeof TABLES

const SAMPLE_ROWS = 5000

/** Returns the sentence about the rows in RESULTS.md. */
export function describeTable(name: TableName): string {
  const { columns, about, rows }: BenchTable = TABLES[name]
  const sample = rows(SAMPLE_ROWS)
  const bytes = sample.reduce((total, row) => total + Buffer.byteLength(csvLine(row)), 0) / sample.length
  const types = columns.map(({ type }) => type).join(', ')
  return `Seeded rows, ${about}: ${columns.length} columns (${types}), ${Math.round(bytes)} bytes each as CSV.`
}
