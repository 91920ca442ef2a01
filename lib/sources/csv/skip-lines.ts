import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { plural } from '../../values/format-count.ts'
import { LINE_FEED, RETURN } from '../../values/text/ascii.ts'
import { SourceError } from '../source-error.ts'

/**
 * Drops the first lines of a text, whatever is in them. A text with fewer lines is an error, unless it is
 * empty.
 */
export function skipLines(name: string, count: number): Transform {
  let left = count
  /** The last line that was dropped has ended with a return, which a line feed may follow. */
  let afterReturn = false
  /** The text has ended within a line. */
  let isWithin = false

  function checkEnd(): void {
    const lines = count - left + (isWithin ? 1 : 0)
    if (lines === 0 || lines >= count) return
    throw new SourceError(`${name}: it has ${plural(lines, 'line')}, and --skip-lines skips ${count}`)
  }

  function rest(chunk: Buffer): Buffer | undefined {
    isWithin = chunk.at(-1) !== LINE_FEED && chunk.at(-1) !== RETURN
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
    if (at === 0) return chunk // itself, and not another view of it
    return at < chunk.length ? chunk.subarray(at) : undefined
  }

  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => rest(chunk), done),
    flush: done => runWork(checkEnd, done),
  })
}
