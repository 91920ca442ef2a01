import { Transform } from 'node:stream'
import { TextDecoder } from 'node:util'
import { runWork } from '../../streams/run-work.ts'
import { SourceError } from '../source-error.ts'
import { iso2022JpKeepingInvalid } from './iso-2022-jp.ts'
import { INVALID, utf8WithInvalid, withoutHalves } from './keep-invalid.ts'
import { feedsIn, lineOf } from './lines.ts'
import { isOtherEncoding, otherEncoding } from './other-encoding.ts'
import { beginsWithMark, utf8 } from './utf8.ts'

/**
 * An encoding, by the name that messages use. Encodings of iconv-lite have the user's name, in lower case.
 */
export type Encoding = string

/** The encodings that are decoded here, with their other names. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'utf-8': ['utf8', 'utf-8-sig', 'utf-8-bom'],
  'iso-2022-jp': ['iso2022jp', 'csiso2022jp'],
  'utf-16': ['utf16'],
  'utf-16le': ['utf16le', 'ucs-2', 'ucs2'],
  'utf-16be': ['utf16be'],
  latin1: ['latin-1', 'iso-8859-1', 'iso8859-1', 'iso88591', 'l1'],
  'windows-1252': ['windows1252', 'cp1252', 'cp-1252', '1252'],
}

/** Returns the encoding of a name such as `UTF-8`, `cp1251` or `Shift_JIS`; undefined for an unknown name. */
export function encodingOf(name: string): Encoding | undefined {
  const plain = name.toLowerCase().replaceAll('_', '-')
  const own = Object.keys(OWN).find(encoding => encoding === plain || OWN[encoding]!.includes(plain))
  if (own !== undefined) return own
  const other = plain === 'uhc' ? 'cp949' : name // PostgreSQL's name of it
  return isOtherEncoding(other) ? other.toLowerCase() : undefined
}

/** Returns a file's encoding: the named one, or the one of its byte order mark, otherwise UTF-8. */
export function chooseEncoding(head: Buffer, named: Encoding | undefined, name: string): Encoding {
  const mark = head.toString('latin1', 0, 2)
  const marked = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : undefined
  if (named === undefined) return marked ?? 'utf-8'
  if (named !== 'utf-8' && beginsWithMark(head)) throw notAsNamed(name, named)
  if (named !== 'utf-16') return named
  if (marked) return marked
  throw new SourceError(`${name}: has no byte order mark; say --encoding utf-16le or utf-16be`)
}

/** Every single-byte encoding would read UTF-8 as other letters, without an error. */
function notAsNamed(name: string, named: Encoding): SourceError {
  return new SourceError(`${name}: it begins with the byte order mark of UTF-8, which is not ${named}`, {
    hint: 'leave out --encoding; if only the mark is wrong, remove the first three bytes',
  })
}

/**
 * Converts bytes to UTF-8, without a byte order mark. Invalid bytes are an error, and never become U+FFFD.
 * Bytes of a UTF-8 file are passed on as they are: the reader of the records checks them.
 * @param keepsInvalid pass on bytes that are not UTF-8 in place of what is invalid in another encoding
 */
export function toUtf8(name: string, encoding: Encoding, keepsInvalid = false): Transform {
  if (encoding === 'utf-8') return utf8()
  if (!(encoding in OWN)) return otherEncoding(name, encoding, keepsInvalid)
  const isUtf16 = encoding.startsWith('utf-16')
  const isStateful = encoding === 'iso-2022-jp'
  if (keepsInvalid) {
    if (isStateful) return keeping(iso2022JpKeepingInvalid())
    return keeping(isUtf16 ? utf16KeepingInvalid(encoding) : singleByteKeepingInvalid(encoding))
  }
  const decode = isUtf16 || isStateful ? byNode(encoding) : singleByte(encoding)
  const badByte = isUtf16 ? loneSurrogate(encoding) : isStateful ? badLine : undefinedByte(encoding)
  const advice = encoding === 'latin1' ? { hint: LATIN1_ADVICE } : {}
  let position = 0
  /** Line ends so far. */
  let lines = 0
  const take = (bytes: Buffer, last: boolean): Buffer | undefined => {
    let text: string
    try {
      text = decode(bytes, last)
    } catch {
      if (last) throw new SourceError(`${name}: not valid ${encoding}, it ends in the middle of a character`)
      const at = Math.max(0, badByte(bytes, position))
      const good = bytes.subarray(isUtf16 ? position % 2 : 0, at)
      const before = feedsIn(isUtf16 ? new TextDecoder(encoding).decode(good) : good.toString('latin1'))
      const where = `${lineOf(lines + before)}, near byte ${position + at}`
      throw new SourceError(`${name}: not valid ${encoding}, ${where}`, advice)
    }
    position += bytes.length
    lines += feedsIn(text)
    return text === '' ? undefined : Buffer.from(text)
  }
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => take(chunk, false), done),
    flush: done => runWork(() => take(Buffer.alloc(0), true), done),
  })
}

function keeping(decode: Decode): Transform {
  const take = (bytes: Buffer, last: boolean) => {
    const text = decode(bytes, last)
    return text === '' ? undefined : utf8WithInvalid(text)
  }
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => take(chunk, false), done),
    flush: done => runWork(() => take(Buffer.alloc(0), true), done),
  })
}

/** Returns the index of the first invalid byte. */
type BadByte = (bytes: Buffer, position: number) => number

function undefinedByte(encoding: Encoding): BadByte {
  const isDefined = (byte: number) => encoding !== 'latin1' && WINDOWS_1252[byte - 0x80] !== ' '
  return bytes => bytes.findIndex(byte => byte >= 0x80 && byte <= 0x9f && !isDefined(byte))
}

/** Returns the start of the first line that is not valid ISO-2022-JP, each line of which begins as ASCII. */
function badLine(bytes: Buffer): number {
  for (let start = 0, end = 0; end >= 0; start = end + 1) {
    end = bytes.indexOf('\n', start)
    try {
      new TextDecoder('iso-2022-jp', { fatal: true }).decode(bytes.subarray(start, end < 0 ? undefined : end))
    } catch {
      return start
    }
  }
  return 0
}

/**
 * Finds half of a surrogate pair. If the pair started in the chunk before, its first half was found there.
 */
function loneSurrogate(encoding: string): BadByte {
  const isSurrogate = (bytes: Buffer, at: number, high: boolean): boolean => {
    const byte = bytes[encoding === 'utf-16le' ? at + 1 : at]
    return byte !== undefined && (byte & 0xfc) === (high ? 0xd8 : 0xdc)
  }
  return (bytes, position) => {
    // the first byte may belong to a character of the chunk before
    for (let at = position % 2; at < bytes.length; at += 2) {
      if (!isSurrogate(bytes, at, true)) {
        if (isSurrogate(bytes, at, false) && at > 1) return at
      } else if (isSurrogate(bytes, at + 2, false)) at += 2
      else return at
    }
    return 0
  }
}

type Decode = (bytes: Buffer, last: boolean) => string

function byNode(encoding: string): Decode {
  const decoder = new TextDecoder(encoding, { fatal: true })
  return (bytes, last) => decoder.decode(bytes, { stream: !last })
}

/** Decodes UTF-16, with `INVALID` for each half of a surrogate pair. */
function utf16KeepingInvalid(encoding: string): Decode {
  let held: Buffer = Buffer.alloc(0)
  let isFirst = true
  return (bytes, last) => {
    const all = Buffer.concat([held, bytes])
    const whole = Buffer.from(all.subarray(0, all.length - (all.length % 2)))
    if (encoding === 'utf-16be') whole.swap16()
    const text = whole.toString('utf16le')
    const isOpen = !last && /[\ud800-\udbff]$/.test(text)
    const end = whole.length - (isOpen ? 2 : 0)
    held = all.subarray(end)
    const complete = withoutHalves(isOpen ? text.slice(0, -1) : text)
    const marked = isFirst && complete.startsWith('\ufeff') ? complete.slice(1) : complete
    if (complete !== '') isFirst = false
    return last && held.length > 0 ? `${marked}${INVALID}` : marked
  }
}

/** Decodes latin1 or windows-1252, with `INVALID` for each byte that it does not have. */
function singleByteKeepingInvalid(encoding: Encoding): Decode {
  const character = (byte: string) => {
    const found = encoding === 'latin1' ? ' ' : WINDOWS_1252[byte.charCodeAt(0) - 0x80]!
    return found === ' ' ? INVALID : found
  }
  return bytes => bytes.toString('latin1').replace(/[\x80-\x9f]/g, character)
}

function singleByte(encoding: Encoding): Decode {
  const character = encoding === 'latin1' ? noCharacter : windows1252
  return bytes => bytes.toString('latin1').replace(/[\x80-\x9f]/g, character)
}

/**
 * Latin1 has control characters at 0x80 to 0x9f, which no text has. A file with these bytes has letters of
 * another encoding there, and `\x80` would be stored for a euro sign.
 */
function noCharacter(): never {
  throw new RangeError('no such character')
}

const LATIN1_ADVICE =
  'the bytes 80 to 9f are control characters in latin1, and letters in other encodings, such as windows-1252'

/**
 * The characters of 0x80 to 0x9f, where windows-1252 differs from latin1. A blank is a byte that it does not
 * have. This is a table, because some releases of Node.js decode windows-1252 as latin1 (nodejs/node#56542).
 */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

function windows1252(byte: string): string {
  const character = WINDOWS_1252[byte.charCodeAt(0) - 0x80]!
  return character === ' ' ? noCharacter() : character
}
