import { Transform } from 'node:stream'
import { TextDecoder } from 'node:util'
import { runWork } from '../../streams/run-work.ts'
import { SourceError } from '../source-error.ts'
import { isOtherEncoding, otherEncoding } from './other-encoding.ts'
import { utf8 } from './utf8.ts'

/** By the name that messages use; those of `otherEncoding` by the name that was given, in lower case. */
export type Encoding = string

/** Those that are decoded here, with other names that people know them by. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'utf-8': ['utf8'],
  'utf-16': ['utf16'],
  'utf-16le': ['utf16le', 'ucs-2', 'ucs2'],
  'utf-16be': ['utf16be'],
  latin1: ['latin-1', 'iso-8859-1', 'iso8859-1', 'iso88591', 'l1'],
  'windows-1252': ['windows1252', 'cp1252', 'cp-1252', '1252'],
}

/** The encoding of a name, as people write it: `UTF-8`, `cp1251`, `Shift_JIS`; undefined: there is none. */
export function encodingOf(name: string): Encoding | undefined {
  const plain = name.toLowerCase().replaceAll('_', '-')
  const own = Object.keys(OWN).find(encoding => encoding === plain || OWN[encoding]!.includes(plain))
  return own ?? (isOtherEncoding(name) ? name.toLowerCase() : undefined)
}

/** The encoding of a file: the one that was named, made precise by the byte order mark at its start, if any. */
export function chooseEncoding(head: Buffer, named: Encoding | undefined, name: string): Encoding {
  const mark = head.toString('latin1', 0, 2)
  const marked = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : undefined
  if (named === undefined) return marked ?? 'utf-8'
  if (named !== 'utf-16') return named
  if (marked) return marked
  throw new SourceError(`${name}: has no byte order mark; say --encoding utf-16le or utf-16be`)
}

/** Makes UTF-8 of a file's bytes, without a byte order mark. What the encoding does not have is an error, never U+FFFD. */
export function toUtf8(name: string, encoding: Encoding): Transform {
  if (encoding === 'utf-8') return utf8(name)
  if (!(encoding in OWN)) return otherEncoding(name, encoding)
  const decode = encoding.startsWith('utf-16') ? utf16(encoding) : singleByte(encoding)
  let position = 0
  const badByte = encoding.startsWith('utf-16') ? loneSurrogate(encoding) : undefinedByte
  const take = (bytes: Buffer, last: boolean): Buffer | undefined => {
    let text: string
    try {
      text = decode(bytes, last)
    } catch {
      const where = last
        ? 'it ends in the middle of a character'
        : `near byte ${position + badByte(bytes, position)}`
      throw new SourceError(`${name}: not valid ${encoding}, ${where}`)
    }
    position += bytes.length
    return text === '' ? undefined : Buffer.from(text)
  }
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => take(chunk, false), done),
    flush: done => runWork(() => take(Buffer.alloc(0), true), done),
  })
}

/** Where in the bytes the one is that the encoding does not have. */
type BadByte = (bytes: Buffer, position: number) => number

function undefinedByte(bytes: Buffer): number {
  return bytes.findIndex(byte => byte >= 0x80 && byte <= 0x9f && WINDOWS_1252[byte - 0x80] === ' ')
}

/** Half of a pair without the other; of a pair that began in the chunk before, the first half stands for both. */
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

function utf16(encoding: string): Decode {
  const decoder = new TextDecoder(encoding, { fatal: true })
  return (bytes, last) => decoder.decode(bytes, { stream: !last })
}

function singleByte(encoding: Encoding): Decode {
  if (encoding === 'latin1') return bytes => bytes.toString('latin1')
  return bytes => bytes.toString('latin1').replace(/[\x80-\x9f]/g, windows1252)
}

/**
 * 0x80 to 0x9f, the part in which windows-1252 is not latin1; blanks are bytes that it does not have. A table, because
 * Node's own decoder took the one for the other for some releases (nodejs/node#56542).
 */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

function windows1252(byte: string): string {
  const character = WINDOWS_1252[byte.charCodeAt(0) - 0x80]!
  if (character === ' ') throw new RangeError('no such character')
  return character
}
