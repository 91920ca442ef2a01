import { isUtf8 } from 'node:buffer'
import { createRequire } from 'node:module'
import { formatCount } from '../../values/format-count.ts'
import { SourceError } from '../source-error.ts'

/** Encodings that files without UTF-8 often have, in different parts of the world. */
const CANDIDATES = [
  'windows-1252',
  'windows-1251',
  'iso-8859-2',
  'Shift_JIS',
  'GB18030',
  'EUC-KR',
  'Big5',
  'cp850',
] as const

/** What to do about a text with NUL bytes. A UTF-32 file may seem to have the byte order mark of UTF-16. */
export const NUL_ADVICE =
  'it has NUL bytes; if it is UTF-16 or UTF-32, say so with --encoding utf-16le, utf-16be or utf-32'

/** Bytes around the invalid one that an example has at most. */
const MAX_BYTES = 24
const MAX_EXAMPLES = 5

/**
 * Returns the error for bytes that are not UTF-8. Which encoding they have is for the user to say: nearly any
 * bytes are text in several of them. Its example shows the text of each.
 * @param fault what is not valid: `line 5 is not valid UTF-8`
 * @param bytes the bytes, without half of a character at their end, if they are known
 */
export function notUtf8(name: string, fault: string, bytes?: Buffer): SourceError {
  if (bytes?.includes(0)) {
    return new SourceError(`${name}: ${fault}`, { hint: NUL_ADVICE })
  }
  const hint = 'find out how it is encoded, and name that with --encoding'
  return new SourceError(`${name}: ${fault}`, { hint, example: bytes && examplesOf(bytes) })
}

/**
 * Throws for the beginning of a text that is not UTF-8. Otherwise its dialect might be judged by it.
 * @param linesBefore lines of the file that come before it
 */
export function checkUtf8(head: Buffer, name: string, linesBefore: number): void {
  const whole = head.subarray(0, wholeLength(head))
  if (isUtf8(whole)) return
  const before = whole.toString('latin1', 0, firstBadByte(whole))
  const line = linesBefore + before.split(/\r\n|\n|\r/).length
  throw notUtf8(name, `line ${formatCount(line)} is not valid UTF-8`, whole)
}

/** Returns the index of the first byte that is not UTF-8. */
function firstBadByte(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isUtf8(bytes.subarray(0, wholeLength(bytes, middle)))) good = middle
    else bad = middle
  }
  return wholeLength(bytes, good)
}

/** Returns the length of the whole characters in the first bytes. */
export function wholeLength(bytes: Buffer, length = bytes.length): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back]!
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? length - back : length
    }
    if (byte < 0x80) break
  }
  return length
}

function examplesOf(bytes: Buffer): string | undefined {
  const word = wordAt(bytes, firstBadByte(bytes))
  const iconv = createRequire(import.meta.url)('iconv-lite') as typeof import('iconv-lite')
  const encodingOf = new Map<string, string>()
  for (const encoding of CANDIDATES) {
    const text = iconv.decode(word, encoding)
    if (!/[\ufffd\p{Cc}\p{Co}]/u.test(text) && !encodingOf.has(text)) encodingOf.set(text, encoding)
  }
  const examples = [...encodingOf].slice(0, MAX_EXAMPLES).map(([text, encoding]) => `${encoding}: ${text}`)
  return examples.length === 0 ? undefined : `its text could be, in ${examples.join('; in ')}`
}

/** Returns the bytes around an index, as far as no delimiter or line end comes. */
function wordAt(bytes: Buffer, index: number): Buffer {
  const isEnd = (byte: number | undefined) => byte === undefined || ENDS.includes(byte)
  let start = index
  let end = index + 1
  while (index - start < MAX_BYTES / 2 && !isEnd(bytes[start - 1])) start--
  while (end - index < MAX_BYTES / 2 && !isEnd(bytes[end])) end++
  return bytes.subarray(start, end)
}

const ENDS = Buffer.from(',;\t|"\r\n ')
