import { basename } from 'node:path'
import { FormatUnknown } from './source-error.ts'

export const FORMATS = ['csv', 'ndjson', 'json'] as const
export type Format = (typeof FORMATS)[number]

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  csv: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
}

/** The format that a file's name promises: `orders.csv`, `orders.csv.gz`. */
export function formatOfName(file: string): Format | undefined {
  const extension = basename(file)
    .replace(/\.gz$/i, '')
    .match(/\.([^.]+)$/)?.[1]
  return extension === undefined ? undefined : BY_EXTENSION[extension.toLowerCase()]
}

/** First bytes of files that are no text, so that nobody reads them as CSV. */
const BINARY: readonly [kind: string, magic: string][] = [
  ['a Parquet file', 'PAR1'],
  ['a zip archive', 'PK\x03\x04'],
  ['Zstandard data', '\x28\xb5\x2f\xfd'],
  ['bzip2 data', 'BZh'],
  ['xz data', '\xfd7zXZ'],
]

/** The format that the first bytes show: `[` begins a JSON array, `{` an NDJSON line, any other text is CSV. */
export function sniffFormat(head: Buffer, name: string): Format {
  const cannotTell = (why: string): never => {
    throw new FormatUnknown(`${name}: cannot tell the format, ${why}; name it with --format`)
  }
  const text = head.toString('latin1')
  const first = text.match(/[^\s\xef\xbb\xbf]/)?.[0]
  if (first === undefined) return cannotTell('there is nothing in it')
  const binary = BINARY.find(([, magic]) => text.startsWith(magic))
  if (binary) return cannotTell(`it looks like ${binary[0]}`)
  if (text.includes('\0')) return cannotTell('it is not text')
  if (first === '[') return 'json'
  return first === '{' ? 'ndjson' : 'csv'
}

/** True once `sniffFormat` sees more than blanks. */
export function showsFormat(head: Buffer): boolean {
  return /[^\s\xef\xbb\xbf]/.test(head.toString('latin1'))
}
