import { basename } from 'node:path'
import { FormatUnknown } from './source-error.ts'

export const FORMATS = ['csv', 'tsv', 'ndjson', 'json', 'parquet'] as const
/** `tsv` is CSV that is known to have tabs between its fields. */
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

/** First bytes of files that are no text, so that nobody reads them as CSV. */
const BINARY: readonly [kind: string, magic: string][] = [
  ['a zip archive', 'PK\x03\x04'],
  ['bzip2 data', 'BZh'],
  ['xz data', '\xfd7zXZ'],
]

/** Refuses what is no text, before it is decoded as if it were. */
export function refuseBinary(head: Buffer, name: string): void {
  const text = head.toString('latin1')
  const binary = BINARY.find(([, magic]) => text.startsWith(magic))
  if (binary) throw cannotTell(name, `it looks like ${binary[0]}`)
  if (text.includes('\0')) throw cannotTell(name, 'it is not text')
}

/** The format that the first bytes of text show: `[` begins a JSON array, `{` an NDJSON line, all else is CSV. */
export function sniffFormat(head: Buffer, name: string): Format {
  const first = head.toString('latin1').match(/\S/)?.[0]
  if (first === undefined) throw cannotTell(name, 'there is nothing in it')
  if (first === '[') return 'json'
  return first === '{' ? 'ndjson' : 'csv'
}

function cannotTell(name: string, why: string): FormatUnknown {
  return new FormatUnknown(`${name}: cannot tell the format, ${why}; name it with --format`)
}

/** True once `sniffFormat` sees more than blanks. */
export function showsFormat(head: Buffer): boolean {
  return /\S/.test(head.toString('latin1'))
}
