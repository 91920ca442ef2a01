import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchRow, benchRows, COLUMNS } from '../support/rows.ts'

const ROWS_AT_ONCE = 50_000

export interface CsvFile {
  readonly path: string
  remove(): Promise<void>
}

/** Writes seeded rows as a CSV file with a header; fields are quoted only where needed. */
export async function writeCsvFile(count: number): Promise<CsvFile> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bench-load-'))
  const path = join(folder, 'rows.csv')
  const file = await open(path, 'w')
  await file.write(`${COLUMNS.map(({ name }) => name).join(',')}\n`)
  for (let first = 1; first <= count; first += ROWS_AT_ONCE) {
    const rows = benchRows(Math.min(ROWS_AT_ONCE, count - first + 1), first)
    await file.write(rows.map(line).join(''))
  }
  await file.close()
  return { path, remove: () => rm(folder, { recursive: true }) }
}

function line(row: BenchRow): string {
  return `${COLUMNS.map(({ name }) => field(row[name])).join(',')}\n`
}

function field(value: BenchRow[keyof BenchRow]): string {
  if (value instanceof Date) return value.toISOString()
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
