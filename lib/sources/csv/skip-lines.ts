import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'

const LINE_FEED = 0x0a
const RETURN = 0x0d

/** Drops the first lines of a text, whatever is in them. */
export function skipLines(count: number): Transform {
  let left = count
  /** The last line that was dropped has ended with a return, which a line feed may follow. */
  let afterReturn = false

  function rest(chunk: Buffer): Buffer | undefined {
    let at = 0
    for (; at < chunk.length && (left > 0 || afterReturn); at++) {
      const byte = chunk[at]
      if (afterReturn) {
        afterReturn = false
        if (byte === LINE_FEED) continue
        if (left === 0) break
      }
      if (byte !== LINE_FEED && byte !== RETURN) continue
      left--
      afterReturn = byte === RETURN
    }
    return at < chunk.length ? chunk.subarray(at) : undefined
  }

  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => rest(chunk), done),
  })
}
