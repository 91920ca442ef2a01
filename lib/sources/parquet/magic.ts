import { open, stat } from 'node:fs/promises'
import { SourceError } from '../source-error.ts'

/** The first and the last bytes of a Parquet file. */
export const MAGIC = 'PAR1'

/** True for bytes that only a Parquet file begins with: text may begin with PAR1, but not go on like this. */
export function showsParquet(head: Buffer): boolean {
  const next = head[MAGIC.length]
  return head.toString('latin1', 0, MAGIC.length) === MAGIC && next !== undefined && !isAsciiText(next)
}

/** What stands in text: characters, and the white space from tab to return. */
function isAsciiText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d)
}

/** So many bytes show it. */
export const SHOWING_BYTES = MAGIC.length + 1

/** True for a regular file that begins as a Parquet file does. */
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

/** The bytes of a Parquet file come from a pipe. */
export function parquetInPipe(name: string): SourceError {
  return new SourceError(
    `${name}: a Parquet file is read from its end, which a pipe cannot show; save it to a file and load that`,
  )
}

/** The bytes of a Parquet file are packed as a whole. */
export function packedParquet(name: string): SourceError {
  const hint = 'unpack it first, with gunzip for example (what is in it stays compressed)'
  return new SourceError(`${name}: a packed Parquet file cannot be read from its end; ${hint}`)
}
