import { pipeline, type Readable } from 'node:stream'
import { nameOf, openBytes, peek } from './bytes.ts'
import { readCsv } from './csv.ts'
import { type Format, formatOfName, showsFormat, sniffFormat } from './format.ts'
import { readJsonArray } from './json-array.ts'
import { readNdjson } from './ndjson.ts'
import { SourceError } from './source-error.ts'
import { utf8 } from './utf8.ts'

export interface Source {
  /** What messages call it: the file's name, or `standard input`. */
  readonly name: string
  readonly format: Format
  /** The header of a CSV file; other formats name their keys row by row. */
  readonly header?: readonly string[]
  /** The rows as objects (`SourceRow`). Destroying it closes the file. */
  readonly rows: Readable
}

export interface SourceOptions {
  /** Default: what the file's extension says, else what its first byte shows. */
  format?: Format | undefined
  /** Default: the process's. */
  stdin?: Readable
  /** Gets each stream of bytes as it comes from the disk or the pipe. */
  onOpen?: (raw: Readable) => void
}

/** Opens a file (`-`: standard input) and, for CSV, reads its header. */
export async function openSource(file: string, options: SourceOptions = {}): Promise<Source> {
  const name = nameOf(file)
  const bytes = await openBytes(file, options.stdin, options.onOpen)
  const named = options.format ?? (file === '-' ? undefined : formatOfName(file))
  if (named) return read(bytes, name, named)
  const { head, whole } = await peek(bytes, showsFormat)
  try {
    return await read(whole, name, sniffFormat(head, name))
  } catch (error) {
    whole.destroy()
    throw error
  }
}

async function read(bytes: Readable, name: string, format: Format): Promise<Source> {
  if (format === 'csv') return openCsv(bytes, name)
  const reader = format === 'json' ? readJsonArray(name) : readNdjson(name)
  return { name, format, rows: connect(bytes, name, reader) }
}

function openCsv(bytes: Readable, name: string): Promise<Source> {
  return new Promise((resolve, reject) => {
    const reader = readCsv(name, header => {
      rows.off('error', reject).off('end', noHeader)
      resolve({ name, format: 'csv', header, rows })
    })
    const noHeader = () => reject(new SourceError(`${name}: there is nothing in it, not even a header`))
    const rows = connect(bytes, name, reader)
    rows.once('error', reject).once('end', noHeader)
    rows.once('readable', () => rows.readableLength === 0 && rows.read()) // lets an empty file reach its end
  })
}

/** Bytes to rows. An error anywhere ends up on the last stream, for the caller's own pipeline. */
function connect<R extends NodeJS.ReadWriteStream & Readable>(bytes: Readable, name: string, reader: R): R {
  pipeline(bytes, utf8(name), reader, () => {})
  return reader
}
