import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { deadLetterLine, type RejectedRow, toDeadLetter } from './dead-letter.ts'
import { openDeadLetterFile } from './open-dead-letter-file.ts'

/** How many lines go in one write, which takes 100 µs. */
export const LINES_AT_ONCE = 256

/**
 * Returns a `deadLetter` stream that appends each rejected row to a file as a line of JSON. Each line is
 * written before the next batch is acknowledged. Only the owner can read the file (mode 0600), because it
 * holds the rows.
 *
 * A line has the keys batch_id, row_index, code, sqlstate, message, column_name, constraint_name,
 * source_partition, source_offset and row. The first rejected row opens the file; without one there is no
 * file. A killed process may lose its last rejected rows, or leave a line unfinished, which the next process
 * ends; `deadLetter: { table, file }` loses none.
 * @param path the file; lines are appended to what it holds
 * @throws TypeError for something else than a string
 */
export function ndjsonDeadLetter(path: string): Writable {
  if (typeof path !== 'string' || path === '') {
    throw new TypeError('Expected `path` to be the path of a file, as a string that is not empty')
  }
  let file: Promise<FileHandle> | undefined
  return new Writable({
    objectMode: true,
    highWaterMark: LINES_AT_ONCE,
    write(rejected: RejectedRow, _encoding, callback) {
      append([rejected]).then(() => callback(), callback)
    },
    writev(chunks: { chunk: RejectedRow }[], callback) {
      append(chunks.map(({ chunk }) => chunk)).then(() => callback(), callback)
    },
    destroy(error, callback) {
      // also one that is still being opened; what has kept it from being opened is the stream's error already
      const closed = file?.then(
        opened => opened.close(),
        () => {},
      )
      Promise.resolve(closed).then(
        () => callback(error),
        failure => callback(error ?? failure),
      )
    },
  })

  async function append(rejected: readonly RejectedRow[]): Promise<void> {
    file ??= openAtLineStart(path)
    const lines = rejected.map(reject => deadLetterLine(toDeadLetter(reject)))
    await (await file).appendFile(lines.join(''))
  }
}

/** Opens a file to append to, and ends its last line if a killed process or an editor has not. */
async function openAtLineStart(path: string): Promise<FileHandle> {
  const file = await openDeadLetterFile(path, constants.O_WRONLY)
  const { size } = await file.stat()
  if (size === 0) return file // an empty file, or a device
  const read = await open(path, 'r')
  const { buffer } = await read.read(Buffer.alloc(1), 0, 1, size - 1).finally(() => read.close())
  if (buffer.toString() !== '\n') await file.appendFile('\n')
  return file
}
