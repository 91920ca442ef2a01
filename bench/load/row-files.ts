import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import { type BenchRow, benchRows, COLUMNS, csvLine } from '../support/rows.ts'
import { arrow, duckdb } from './python-peers.ts'

const ROWS_AT_ONCE = 50_000

export const FORMATS = [
  'CSV',
  'CSV, gzip',
  'CSV, zstd',
  'NDJSON',
  'Parquet, snappy',
  'Parquet, zstd',
  'Parquet, pyarrow, snappy',
  'Parquet, pyarrow, zstd',
  'Parquet, as Spark writes it',
] as const
export type Format = (typeof FORMATS)[number]

/** The same seeded rows in files of several formats. */
export interface RowFiles {
  /** The paths. A format is missing where the program that writes it is. */
  readonly paths: ReadonlyMap<Format, string>
  remove(): Promise<void>
}

/** @param wanted the formats to write. CSV, with a header, is always written: others are made of it. */
export async function writeRowFiles(
  count: number,
  wanted: readonly Format[],
  log: (line: string) => void,
): Promise<RowFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bench-load-'))
  const csv = join(folder, 'rows.csv')
  await writeCsv(csv, count)
  const paths = new Map<Format, string>()
  for (const format of wanted) {
    const path = join(folder, `rows.${EXTENSIONS[format]}`)
    try {
      await writeFormat(format, path, csv, count)
      paths.set(format, path)
    } catch (error) {
      log(`load: ${format} is left out. ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return { paths, remove: () => rm(folder, { recursive: true }) }
}

const EXTENSIONS: Readonly<Record<Format, string>> = {
  CSV: 'csv',
  'CSV, gzip': 'csv.gz',
  'CSV, zstd': 'csv.zst',
  NDJSON: 'ndjson',
  'Parquet, snappy': 'snappy.parquet',
  'Parquet, zstd': 'zstd.parquet',
  'Parquet, pyarrow, snappy': 'pyarrow.snappy.parquet',
  'Parquet, pyarrow, zstd': 'pyarrow.zstd.parquet',
  'Parquet, as Spark writes it': 'spark.parquet',
}

async function writeFormat(format: Format, path: string, csv: string, count: number): Promise<void> {
  switch (format) {
    case 'CSV':
      return
    case 'CSV, gzip':
      return pipeline(createReadStream(csv), createGzip(), createWriteStream(path))
    case 'CSV, zstd':
      await promisify(execFile)('zstd', ['-q', csv, '-o', path])
      return
    case 'NDJSON':
      return writeLines(path, count, row => `${JSON.stringify(row)}\n`)
    case 'Parquet, snappy':
      return duckdb.writeParquet(csv, path, 'snappy')
    case 'Parquet, zstd':
      return duckdb.writeParquet(csv, path, 'zstd')
    case 'Parquet, pyarrow, snappy':
      return arrow.writeParquet(csv, path, 'snappy')
    case 'Parquet, pyarrow, zstd':
      return arrow.writeParquet(csv, path, 'zstd')
    case 'Parquet, as Spark writes it':
      return arrow.writeParquet(csv, path, 'spark')
  }
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
