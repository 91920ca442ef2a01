import { type Format, formatOfName, refuseBinary } from './format.ts'
import { nameOf, openBytes, peek } from './input/bytes.ts'
import { chooseEncoding, toUtf8 } from './input/encoding.ts'
import { isRereadable } from './input/raw-input.ts'
import { isParquetFile, packedParquet, parquetInPipe, SHOWING_BYTES, showsParquet } from './parquet/magic.ts'
import { openParquet } from './parquet/open-parquet.ts'
import { refuseForeign, showsArchive } from './signatures.ts'
import type { Source } from './source.ts'
import { SourceError } from './source-error.ts'

import { connect } from './text/connect.ts'
import type { SourceOptions } from './text/source-options.ts'
import { TextSource } from './text/text-source.ts'

export type { Source, SourceColumn } from './source.ts'
export type { SourceOptions } from './text/source-options.ts'

/** Opens a file (`-`: standard input) and, for CSV and Parquet, reads the names of its columns. */
export async function openSource(file: string, options: SourceOptions = {}): Promise<Source> {
  const rereadable = await isRereadable(file)
  if (await isParquet(file, rereadable, options.format)) {
    const source = await openParquet(file, options.batchRows)
    options.onOpen?.(source.rows)
    return source
  }
  const name = nameOf(file)
  const { bytes, note } = await openBytes(file, options)
  const live = !rereadable && !options.spool?.has(file)
  const { head, whole } = await peek(bytes, showsMark)
  try {
    if (showsParquet(head)) throw await misplacedParquet(file, rereadable, options.format)
    refuseForeign(head, name, file === '-' ? undefined : file, options.format)
    const encoding = chooseEncoding(head, options.encoding, name)
    const named = options.format ?? (file === '-' ? undefined : formatOfName(file))
    if (!named && encoding === 'utf-8') refuseBinary(head, name)
    const text = connect(whole, toUtf8(name, encoding, options.keepsMalformed))
    const read = new TextSource({ name, encoding, live, options }, text)
    if (note !== undefined) read.notes.push(note)
    if (!options.encoding && encoding !== 'utf-8') {
      read.notes.push(`${name}: read as ${encoding.toUpperCase()}, as its byte order mark says`)
    }
    return await read.as(named)
  } catch (error) {
    whole.destroy()
    throw error
  }
}

/** Decides by the format that was set, otherwise by the bytes, otherwise by the name. */
async function isParquet(file: string, rereadable: boolean, format: Format | undefined): Promise<boolean> {
  if (rereadable) {
    return format ? format === 'parquet' : (await isParquetFile(file)) || formatOfName(file) === 'parquet'
  }
  if (format === 'parquet') throw parquetInPipe(nameOf(file))
  return false
}

/** Returns why Parquet's bytes cannot be read here. */
async function misplacedParquet(
  file: string,
  rereadable: boolean,
  format: Format | undefined,
): Promise<SourceError> {
  const name = nameOf(file)
  if (!rereadable) return parquetInPipe(name)
  if (!(await isParquetFile(file))) return packedParquet(name)
  return new SourceError(`${name}: it is a Parquet file, not ${format}`, { hint: 'leave out --format' })
}

/** Returns true if the bytes are enough to recognise a byte order mark, Parquet, or an archive. */
function showsMark(head: Buffer): boolean {
  const needed = head.toString('latin1', 0, 3) === 'PAR' ? SHOWING_BYTES : MAX_MARK_BYTES
  return head.length >= needed && showsArchive(head)
}

/**
 * The length of UTF-8's mark. An object with a line end, `{}\n`, is as long, so that a line by itself is read
 * at once.
 */
const MAX_MARK_BYTES = 3
