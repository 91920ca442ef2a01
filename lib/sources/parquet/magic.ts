import { open, stat } from 'node:fs/promises'
import { SourceError } from '../source-error.ts'

/** The first and the last bytes of a Parquet file. */
export const MAGIC = 'PAR1'

/**
 * Returns true for the first bytes of a Parquet file. Text may start with PAR1 too, but has text after it.
 */
export function showsParquet(head: Buffer): boolean {
  const next = head[MAGIC.length]
  return head.toString('latin1', 0, MAGIC.length) === MAGIC && next !== undefined && !isAsciiText(next)
}

/** Returns true for ASCII characters of text, and for white space from tab to return. */
function isAsciiText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d)
}

/** This many bytes are enough to recognise Parquet. */
export const SHOWING_BYTES = MAGIC.length + 1

/** Returns true for a regular file that starts as a Parquet file does. */
export async function isParquetFile(path: string): Promise<boolean> {
  if (!(await stat(path)).isFile()) return false
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SHOWING_BYTES), 0, SHOWING_BYTES, 0)
    return showsParquet(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/** Returns the error for a Parquet file that comes from a pipe. */
export function parquetInPipe(name: string): SourceError {
  return new SourceError(
    `${name}: a Parquet file is read from its end, which a pipe cannot show; save it to a file and load that`,
  )
}

/** Returns the error for a Parquet file that is packed as a whole. */
export function packedParquet(name: string): SourceError {
  const hint = 'unpack it first, with gunzip for example (what is in it stays compressed)'
  return new SourceError(`${name}: a packed Parquet file cannot be read from its end; ${hint}`)
}
