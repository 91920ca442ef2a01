import { basename } from 'node:path'
import { FormatUnknown, SourceError } from './source-error.ts'

export const FORMATS = ['csv', 'tsv', 'text', 'ndjson', 'json', 'parquet'] as const
/** `text` is that of COPY and pg_dump. `tsv` is CSV that is known to have tabs between its fields. */
export type Format = (typeof FORMATS)[number]

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  parquet: 'parquet',
}

/** The format that a file's name promises: `orders.csv`, `orders.csv.gz`. */
export function formatOfName(file: string): Format | undefined {
  const extension = basename(file)
    .replace(/\.(gz|zst|br)$/i, '')
    .match(/\.([^.]+)$/)?.[1]
  return extension === undefined ? undefined : BY_EXTENSION[extension.toLowerCase()]
}

/** Refuses what is no text, before it is decoded as if it were. */
export function refuseBinary(head: Buffer, name: string): void {
  if (head.includes(0)) throw cannotTell(name, 'it is not text')
}

/**
 * The format that the first bytes of text show: `[` begins a JSON array, `{` an NDJSON line, all else is CSV. Nothing is
 * an error, whose status is that of an empty file of CSV or JSON.
 */
export function sniffFormat(head: Buffer, name: string): Format {
  const first = head.toString('latin1').match(/\S/)?.[0]
  if (first === undefined && head.length >= MAX_BLANKS)
    throw cannotTell(name, 'it begins with 1 MiB of blanks')
  if (first === undefined) throw new SourceError(`${name}: there is nothing in it`)
  if (first === '[') return 'json'
  return first === '{' ? 'ndjson' : 'csv'
}

function cannotTell(name: string, why: string): FormatUnknown {
  return new FormatUnknown(`${name}: cannot tell the format, ${why}; name it with --format`)
}

/** So many blanks are not looked behind: each look begins at the first byte. */
const MAX_BLANKS = 1024 * 1024

/** True once `sniffFormat` sees more than blanks, or too many of them. */
export function showsFormat(head: Buffer): boolean {
  return head.length >= MAX_BLANKS || !isBlank(head)
}

export function isBlank(head: Buffer): boolean {
  return !/\S/.test(head.toString('latin1'))
}
