import { type FileHandle, open } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { deadLetterLine, type RejectedRow, toDeadLetter } from './dead-letter.ts'

/**
 * Makes a `deadLetter` that appends each rejected row to a file, a line of JSON each, and has it on disk before the
 * next batch is acknowledged. The file is for its owner alone (mode 0600), since it holds the rows.
 *
 * A line has the keys batch_id, row_index, code, sqlstate, message, column_name, constraint_name, source_partition,
 * source_offset and row. The file is opened with the first rejected row: none, no file.
 * @param path the file; lines are appended to what is there
 */
export function ndjsonDeadLetter(path: string): Writable {
  let file: FileHandle | undefined
  return new Writable({
    objectMode: true,
    write(rejected: RejectedRow, _encoding, callback) {
      append(rejected).then(() => callback(), callback)
    },
    destroy(error, callback) {
      const closing = file?.close() ?? Promise.resolve()
      closing.then(
        () => callback(error),
        failure => callback(error ?? failure),
      )
    },
  })

  async function append(rejected: RejectedRow): Promise<void> {
    file ??= await open(path, 'a', 0o600)
    await file.appendFile(deadLetterLine(toDeadLetter(rejected)))
  }
}
