import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchRow, benchRows, COLUMNS, csvLine } from '../support/rows.ts'

const ROWS_AT_ONCE = 50_000

/** The same seeded rows in files of two formats. */
export interface RowFiles {
  /** With a header; fields are quoted only where needed. */
  readonly csv: string
  readonly ndjson: string
  remove(): Promise<void>
}

export async function writeRowFiles(count: number): Promise<RowFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bench-load-'))
  const csv = join(folder, 'rows.csv')
  const ndjson = join(folder, 'rows.ndjson')
  await writeCsv(csv, count)
  await writeLines(ndjson, count, row => `${JSON.stringify(row)}\n`)
  return { csv, ndjson, remove: () => rm(folder, { recursive: true }) }
}

/** Writes seeded rows with a header. */
export function writeCsv(path: string, count: number): Promise<void> {
  return writeLines(path, count, csvLine, `${COLUMNS.map(({ name }) => name).join(',')}\n`)
}

async function writeLines(
  path: string,
  count: number,
  lineOf: (row: BenchRow) => string,
  head = '',
): Promise<void> {
  const file = await open(path, 'w')
  await file.write(head)
  for (let first = 1; first <= count; first += ROWS_AT_ONCE) {
    const rows = benchRows(Math.min(ROWS_AT_ONCE, count - first + 1), first)
    await file.write(rows.map(lineOf).join(''))
  }
  await file.close()
}
