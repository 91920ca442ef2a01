import { LINE_FEED, RETURN } from '../../../values/text/ascii.ts'

/** The bytes of a malformed record that are kept until its first line ends. */
const MAX_FIRST_LINE = 1024 * 1024

/** The first line of some bytes, and where the next one begins. */
export interface FirstLine {
  readonly end: number
  readonly next: number
}

/**
 * Finds the end of the first line, quotes or not. Returns undefined if the bytes end before it does.
 * @param last no bytes come after these
 */
export function firstLine(bytes: Buffer, last: boolean): FirstLine | undefined {
  const feed = bytes.indexOf(LINE_FEED)
  const before = feed < 0 ? bytes : bytes.subarray(0, feed)
  const back = before.indexOf(RETURN)
  if (back >= 0 && back + 1 < before.length) return { end: back, next: back + 1 }
  if (back >= 0 && feed >= 0) return { end: back, next: feed + 1 }
  if (feed >= 0) return { end: feed, next: feed + 1 }
  if (!last) return undefined
  return { end: back < 0 ? bytes.length : back, next: bytes.length }
}

/** Drops bytes of a long line without an end, but not a return, which a line feed may follow. */
export function shortenLine(bytes: Buffer): Buffer {
  if (bytes.length <= MAX_FIRST_LINE) return bytes
  const kept = bytes.subarray(0, MAX_FIRST_LINE)
  return bytes.at(-1) === RETURN ? Buffer.concat([kept, Buffer.from('\r')]) : Buffer.from(kept)
}
