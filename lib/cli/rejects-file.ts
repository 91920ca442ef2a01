import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { hexText } from '../sources/hex-text.ts'
import type { FileRow } from '../sources/open-sources.ts'
import { isRow } from '../sources/rows.ts'
import type { RejectedRow } from '../write/dead-letter.ts'
import { ndjsonDeadLetter } from '../write/ndjson-dead-letter.ts'
import { usageFailure } from './failure.ts'
import { fileKey } from './same-file.ts'

/** The table that rejected rows of a load with `--resume` go through, on their way to their file. */
export const REJECTS_TABLE = 'pg_batch_rejects'

/**
 * Appends rejected rows to a file (mode 0600), each with the file it comes from and its number in it.
 * @param positionOf where the row stands, if that is known
 */
export function rejectsFile(
  path: string,
  positionOf: (rejected: RejectedRow) => FileRow | undefined,
): Writable {
  const file = ndjsonDeadLetter(path).on('error', () => {}) // its write callback carries the error on
  return new Writable({
    objectMode: true,
    write(rejected: RejectedRow, _encoding, callback) {
      const at = positionOf(rejected)
      const position = at && { partition: at.file, offset: BigInt(at.row) }
      file.write({ ...rejected, position }, callback)
    },
    destroy(error, callback) {
      file.destroy()
      callback(error)
    },
  }).on('error', () => {}) // the load fails with it; without a listener the process would, too
}

/** JSON has no bytes; as bytea's input they can be loaded again. */
export function withBytesAsText(row: unknown): unknown {
  if (!isRow(row) || !Object.values(row).some(Buffer.isBuffer)) return row
  const texts = Object.entries(row).map(([key, value]) => [
    key,
    Buffer.isBuffer(value) ? hexText(value) : value,
  ])
  return Object.fromEntries(texts)
}

/** Refuses a file that cannot be written before the load begins, and not at its first bad row. */
export async function checkRejectsFile(path: string, inputs: readonly string[]): Promise<void> {
  // a pattern finds it as well, once it is there
  const key = await fileKey(path)
  for (const input of inputs) {
    if (resolve(input) !== resolve(path) && (key === undefined || key !== (await fileKey(input)))) continue
    throw usageFailure('--rejects names the file that is read; name another one')
  }
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw usageFailure(`${path}: is a directory, not a file`)
  const mode = existing ? constants.W_OK : constants.W_OK | constants.X_OK
  await access(existing ? path : dirname(path), mode).catch(error => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw usageFailure(`${path}: ${missing ? 'there is no such directory' : 'permission denied'}`, error)
  })
}
