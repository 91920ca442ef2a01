import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import type { RejectedRow } from '../write/dead-letter.ts'
import { ndjsonDeadLetter } from '../write/ndjson-dead-letter.ts'
import { usageFailure } from './failure.ts'

/**
 * Appends rejected rows to a file (mode 0600), each with the file it comes from and its number in it.
 * @param numberOf the row's number in its file, where it is known
 * @param unwrap takes the row out of an item that no row could be made of
 */
export function rejectsFile(
  path: string,
  source: string,
  numberOf: (rejected: RejectedRow) => number | undefined,
  unwrap: (item: unknown) => unknown,
): Writable {
  const file = ndjsonDeadLetter(path).on('error', () => {}) // its write callback carries the error on
  return new Writable({
    objectMode: true,
    write(rejected: RejectedRow, _encoding, callback) {
      const number = numberOf(rejected)
      const position = number === undefined ? undefined : { partition: source, offset: BigInt(number) }
      const row = rejected.row === rejected.item ? unwrap(rejected.item) : rejected.row
      file.write({ ...rejected, row, position }, callback)
    },
    destroy(error, callback) {
      file.destroy()
      callback(error)
    },
  }).on('error', () => {}) // the load fails with it; without a listener the process would, too
}

/** Refuses a file that cannot be written before the load begins, and not at its first bad row. */
export async function checkRejectsFile(path: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw usageFailure(`${path}: is a directory, not a file`)
  const mode = existing ? constants.W_OK : constants.W_OK | constants.X_OK
  await access(existing ? path : dirname(path), mode).catch(error => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw usageFailure(`${path}: ${missing ? 'there is no such directory' : 'permission denied'}`, error)
  })
}
