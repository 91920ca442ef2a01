import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import { csvLine } from '../support/rows.ts'
import type { Row } from '../support/tables/bench-table.ts'
import { DATASETS, type Dataset, type DatasetName } from './datasets.ts'
import { arrow, duckdb, type PythonPeer, polars } from './python-peers.ts'

const ROWS_AT_ONCE = 50_000

type ParquetWriter = 'duckdb' | 'pyarrow' | 'polars'

interface FileKind {
  readonly dataset: DatasetName
  readonly extension: string
  /** The program or package that writes it. */
  readonly writer: 'us' | 'gzip' | 'zstd' | ParquetWriter
  /** The codec of Parquet, or `spark`. */
  readonly codec?: 'snappy' | 'zstd' | 'spark'
}

const PARQUET_WRITERS: Readonly<Record<ParquetWriter, PythonPeer>> = { duckdb, pyarrow: arrow, polars }

/** The files by their names in RESULTS.md. */
const FILES = {
  CSV: { dataset: 'mixed', extension: 'csv', writer: 'us' },
  'CSV, gzip': { dataset: 'mixed', extension: 'csv.gz', writer: 'gzip' },
  'CSV, zstd': { dataset: 'mixed', extension: 'csv.zst', writer: 'zstd' },
  NDJSON: { dataset: 'mixed', extension: 'ndjson', writer: 'us' },
  ...parquet('Parquet, snappy', 'mixed', 'duckdb', 'snappy'),
  ...parquet('Parquet, zstd', 'mixed', 'duckdb', 'zstd'),
  ...parquet('Parquet, pyarrow, snappy', 'mixed', 'pyarrow', 'snappy'),
  ...parquet('Parquet, pyarrow, zstd', 'mixed', 'pyarrow', 'zstd'),
  ...parquet('Parquet, polars, zstd', 'mixed', 'polars', 'zstd'),
  ...parquet('Parquet, as Spark writes it', 'mixed', 'pyarrow', 'spark'),
  'lineitem, CSV': { dataset: 'lineitem', extension: 'csv', writer: 'us' },
  ...parquet('lineitem, Parquet, pyarrow, snappy', 'lineitem', 'pyarrow', 'snappy'),
  ...parquet('taxi, Parquet, pyarrow, zstd', 'taxi', 'pyarrow', 'zstd'),
  'wide-json, NDJSON': { dataset: 'wide-json', extension: 'ndjson', writer: 'us' },
} as const satisfies Record<string, FileKind>

function parquet<Name extends string>(
  name: Name,
  dataset: DatasetName,
  writer: ParquetWriter,
  codec: FileKind['codec'],
) {
  return { [name]: { dataset, extension: `${writer}.${codec}.parquet`, writer, codec } } as Record<
    Name,
    FileKind
  >
}

export type Format = keyof typeof FILES
export const FORMATS = Object.keys(FILES) as Format[]

export function datasetOf(format: Format): Dataset {
  return DATASETS[FILES[format].dataset]
}

export function isNdjson(format: Format): boolean {
  return FILES[format].extension === 'ndjson'
}

/** Seeded rows in files of several formats. */
export interface RowFiles {
  /** The paths. A format is missing where the program that writes it is. */
  readonly paths: ReadonlyMap<Format, string>
  remove(): Promise<void>
}

/** Returns the rows of a format's file, of which a benchmark has so many. */
export function rowsOf(format: Format, count: number): number {
  return Math.round(count * (datasetOf(format).share ?? 1))
}

/** @param wanted the formats to write. CSV, with a header, is written for each: others are made of it. */
export async function writeRowFiles(
  count: number,
  wanted: readonly Format[],
  log: (line: string) => void,
): Promise<RowFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bench-load-'))
  const paths = new Map<Format, string>()
  for (const format of wanted) {
    const { dataset, extension } = FILES[format]
    const path = join(folder, `${dataset}.${extension}`)
    try {
      await writeFormat(format, path, join(folder, `${dataset}.csv`), rowsOf(format, count))
      paths.set(format, path)
    } catch (error) {
      log(`load: ${format} is left out. ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return { paths, remove: () => rm(folder, { recursive: true }) }
}

async function writeFormat(format: Format, path: string, csv: string, count: number): Promise<void> {
  const { writer, codec }: FileKind = FILES[format]
  const dataset = datasetOf(format)
  if (isNdjson(format)) return writeLines(path, dataset, count, row => `${JSON.stringify(row)}\n`)
  if (!existsSync(csv)) await writeCsvOf(csv, dataset, count)
  switch (writer) {
    case 'us':
      return
    case 'gzip':
      return pipeline(createReadStream(csv), createGzip(), createWriteStream(path))
    case 'zstd':
      await promisify(execFile)('zstd', ['-q', csv, '-o', path])
      return
    default:
      return PARQUET_WRITERS[writer].writeParquet(csv, path, codec!, dataset.columns)
  }
}

/** Writes seeded rows of the mixed table with a header. */
export function writeCsv(path: string, count: number): Promise<void> {
  return writeCsvOf(path, DATASETS.mixed, count)
}

function writeCsvOf(path: string, dataset: Dataset, count: number): Promise<void> {
  const names = dataset.columns.map(({ name }) => name)
  return writeLines(path, dataset, count, csvLine, `${names.join(',')}\n`)
}

async function writeLines(
  path: string,
  { rows }: Dataset,
  count: number,
  lineOf: (row: Row) => string,
  head = '',
): Promise<void> {
  const file = await open(path, 'w')
  await file.write(head)
  const all = rows(count)
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    await file.write(
      all
        .slice(first, first + ROWS_AT_ONCE)
        .map(lineOf)
        .join(''),
    )
  }
  await file.close()
}
