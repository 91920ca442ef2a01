import { basename } from 'node:path'
import { EmptyInput, FormatUnknown } from './source-error.ts'

export const FORMATS = ['csv', 'tsv', 'text', 'ndjson', 'json', 'parquet'] as const
/** `text` is the format of COPY and pg_dump. `tsv` is CSV with tabs between its fields. */
export type Format = (typeof FORMATS)[number]

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  geojson: 'json',
  parquet: 'parquet',
}

/** Returns the format of a file's extension: `orders.csv`, `orders.csv.gz`. */
export function formatOfName(file: string): Format | undefined {
  const extension = basename(file)
    .replace(/\.(gz|zst|br)$/i, '')
    .match(/\.([^.]+)$/)?.[1]
  return extension === undefined ? undefined : BY_EXTENSION[extension.toLowerCase()]
}

/** Throws for bytes that are not text, before they are decoded as text. */
export function refuseBinary(head: Buffer, name: string): void {
  if (head.includes(0)) throw cannotTell(name, 'it is not text')
}

/**
 * Returns the format of text by its first character: `[` starts a JSON array, `{` an NDJSON line, anything
 * else is CSV.
 * @throws SourceError for an empty file, as the readers of CSV and JSON do
 */
export function sniffFormat(head: Buffer, name: string): Format {
  const first = head.toString('latin1').match(/\S/)?.[0]
  if (first === undefined && head.length >= MAX_BLANKS)
    throw cannotTell(name, 'it begins with 1 MiB of blanks')
  if (first === undefined) throw new EmptyInput(name)
  if (first === '[') return 'json'
  return first === '{' ? 'ndjson' : 'csv'
}

function cannotTell(name: string, why: string): FormatUnknown {
  return new FormatUnknown(`${name}: cannot recognize the format, ${why}; name it with --format`)
}

/** More blanks than this are an error, because each look starts at the first byte again. */
const MAX_BLANKS = 1024 * 1024

/** Returns true if `sniffFormat` can decide: there is more than blanks, or there are too many blanks. */
export function showsFormat(head: Buffer): boolean {
  return head.length >= MAX_BLANKS || !isBlank(head)
}

export function isBlank(head: Buffer): boolean {
  return !/\S/.test(head.toString('latin1'))
}
