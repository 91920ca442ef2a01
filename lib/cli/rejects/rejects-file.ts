import { Writable } from 'node:stream'
import { hexText } from '../../sources/hex-text.ts'
import type { FileRow } from '../../sources/open-sources.ts'
import { isRow } from '../../sources/rows.ts'
import type { RejectedRow } from '../../write/rejects/dead-letter.ts'
import { LINES_AT_ONCE, ndjsonDeadLetter } from '../../write/rejects/ndjson-dead-letter.ts'

/** The table through which the rejected rows of a load with `--resume` go to their file. */
export const REJECTS_TABLE = 'pg_batch_rejects'

/**
 * Appends rejected rows to a file (mode 0600), each with its file and its number in that file.
 * @param positionOf the position of a row, if it is known
 */
export function rejectsFile(
  path: string,
  positionOf: (rejected: RejectedRow) => FileRow | undefined,
): Writable {
  const file = ndjsonDeadLetter(path).on('error', () => {}) // the write callback has the error
  const withPosition = (rejected: RejectedRow): RejectedRow => {
    const at = positionOf(rejected)
    const position = at && { partition: at.file, offset: BigInt(at.row) }
    return { ...rejected, position }
  }
  return new Writable({
    objectMode: true,
    highWaterMark: LINES_AT_ONCE,
    write(rejected: RejectedRow, _encoding, callback) {
      file.write(withPosition(rejected), callback)
    },
    writev(chunks: { chunk: RejectedRow }[], callback) {
      file.cork()
      for (const { chunk } of chunks.slice(0, -1)) file.write(withPosition(chunk))
      file.write(withPosition(chunks.at(-1)!.chunk), callback) // has the error of all
      file.uncork()
    },
    destroy(error, callback) {
      file.destroy()
      callback(error)
    },
  }).on('error', () => {}) // the load fails with the error; without a listener the process would
}

/** Returns bytes as text, which JSON needs. They can be loaded again as the input of bytea. */
export function withBytesAsText(row: unknown): unknown {
  if (!isRow(row) || !Object.values(row).some(Buffer.isBuffer)) return row
  const texts = Object.entries(row).map(([key, value]) => [
    key,
    Buffer.isBuffer(value) ? hexText(value) : value,
  ])
  return Object.fromEntries(texts)
}
