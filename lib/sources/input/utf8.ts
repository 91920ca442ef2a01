import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { wholeLength } from './not-utf8.ts'

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Returns true if a file begins with the byte order mark of UTF-8. */
export function beginsWithMark(head: Buffer): boolean {
  return head.subarray(0, BOM.length).equals(BOM)
}

/**
 * Passes UTF-8 on, in whole characters and without a byte order mark. Some programs write it twice: none at
 * the beginning is part of a name or a value. The readers check that it is UTF-8: they know the line of a
 * byte that is not.
 */
export function utf8(): Transform {
  let held: Buffer = Buffer.alloc(0)
  let hasBegun = false

  function take(chunk: Buffer, last: boolean): Buffer | undefined {
    let bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    if (!hasBegun) bytes = withoutMarks(bytes)
    const isPartOfMark = BOM.subarray(0, bytes.length).equals(bytes)
    const end = last ? bytes.length : !hasBegun && isPartOfMark ? 0 : wholeLength(bytes)
    hasBegun ||= end > 0
    held = bytes.subarray(end)
    if (end === bytes.length) return bytes // the chunk itself, not another view of it
    return end > 0 ? bytes.subarray(0, end) : undefined
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      runWork(() => take(chunk, false), done)
    },
    flush(done) {
      runWork(() => take(Buffer.alloc(0), true), done)
    },
  })
}

function withoutMarks(bytes: Buffer): Buffer {
  let start = 0
  while (bytes.subarray(start, start + BOM.length).equals(BOM)) start += BOM.length
  return bytes.subarray(start)
}
