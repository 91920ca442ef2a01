import { isAscii, isUtf8 } from 'node:buffer'
import type { StoredBytes } from '../../../columnar/stored-values.ts'
import { SourceError } from '../../source-error.ts'

/** For a shorter text a loop costs less than a call into the engine. */
const SHORT = 64

/**
 * Throws for a text that is not UTF-8. The server would refuse it too, but for a row, and this is a fault of
 * the file.
 */
export function checkTexts({ bytes, starts, ends }: StoredBytes): void {
  // one call finds that most pages are ASCII, with the lengths between their texts
  if (isAscii(bytes.subarray(starts[0], ends.at(-1)))) return
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!
    const end = ends[i]!
    if (end - start <= SHORT && isAsciiWithin(bytes, start, end)) continue
    if (!isUtf8(bytes.subarray(start, end))) throw new SourceError('a text is not valid UTF-8')
  }
}

function isAsciiWithin(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false
  return true
}
