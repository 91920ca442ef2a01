import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { wholeLength } from './not-utf8.ts'

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Passes UTF-8 on, in whole characters and without a byte order mark. The readers check that it is UTF-8:
 * they know the line of a byte that is not.
 */
export function utf8(): Transform {
  let held: Buffer = Buffer.alloc(0)
  let started = false

  function take(chunk: Buffer, last: boolean): Buffer | undefined {
    let bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const end = last ? bytes.length : completeLength(bytes, started)
    held = bytes.subarray(end)
    bytes = bytes.subarray(0, end)
    if (!started && bytes.length > 0) {
      started = true
      if (bytes.subarray(0, 3).equals(BOM)) bytes = bytes.subarray(3)
    }
    return bytes.length > 0 ? bytes : undefined
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

/**
 * Returns the length of the whole characters. At the start it waits for all three bytes of a possible mark.
 */
function completeLength(bytes: Buffer, started: boolean): number {
  if (!started && bytes.length < 3 && BOM.subarray(0, bytes.length).equals(bytes)) return 0
  return wholeLength(bytes)
}
