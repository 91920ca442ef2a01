import { createRequire } from 'node:module'
import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { SourceError } from '../source-error.ts'
import { INVALID, utf8WithInvalid, withoutHalves } from './keep-invalid.ts'
import { feedsIn, lineOf } from './lines.ts'

/** Loads iconv-lite, only if it is needed: most files are UTF-8. */
const iconv = () => createRequire(import.meta.url)('iconv-lite') as typeof import('iconv-lite')

/** Names that iconv-lite accepts, although they are not encodings of text, or hide invalid bytes. */
const NO_ENCODING = /^(base64|hex|binary|utf-?7.*|cesu-?8|internal|.*-internal)$/i

/** Returns true for an encoding that iconv-lite decodes. */
export function isOtherEncoding(name: string): boolean {
  if (!/^[a-z\d][\w.:-]*$/i.test(name) || NO_ENCODING.test(name)) return false
  return !(name in Object.prototype) && iconv().encodingExists(name)
}

/** What iconv-lite returns for invalid bytes. Half of a surrogate pair would become U+FFFD in UTF-8. */
const BAD = /\ufffd|\p{Surrogate}/u

/**
 * Converts bytes to UTF-8. Invalid bytes are an error, and never become U+FFFD.
 * @param keepsInvalid pass on bytes that are not UTF-8 in their place
 */
export function otherEncoding(name: string, encoding: string, keepsInvalid = false): Transform {
  const decoder = iconv().getDecoder(encoding)
  const isWide = /^utf-?32/.test(encoding)
  let position = 0
  /** Line ends so far. */
  let lines = 0
  let held: Buffer = Buffer.alloc(0)

  const encoded = (text: string) => utf8WithInvalid(withoutHalves(text.replaceAll('\ufffd', INVALID)))
  const invalid = (where: string) => new SourceError(`${name}: not valid ${encoding}, ${where}`)

  function take(chunk: Buffer): Buffer | undefined {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const length = isWide ? bytes.length - (bytes.length % 4) : wholeLength(bytes)
    held = bytes.subarray(length)
    return decode(bytes.subarray(0, length))
  }

  function decode(bytes: Buffer): Buffer | undefined {
    const text = decoder.write(bytes)
    if (!keepsInvalid && BAD.test(text)) {
      const at = position + badByte(bytes, encoding)
      throw invalid(`${lineOf(lines + feedsIn(text, text.search(BAD)))}, near byte ${at}`)
    }
    position += bytes.length
    lines += feedsIn(text)
    return text === '' ? undefined : encoded(text)
  }

  function end(): Buffer | undefined {
    const last = decode(held)
    const text = decoder.end() ?? ''
    if (!keepsInvalid && BAD.test(text)) throw invalid('it ends in the middle of a character')
    return text === '' ? last : Buffer.concat([last ?? Buffer.alloc(0), encoded(text)])
  }

  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => take(chunk), done),
    flush: done => runWork(end, done),
  })
}

/** Text has a byte of ASCII more often than this. */
const MAX_HELD_BYTES = 1024 * 1024

/**
 * Returns how many of the bytes to decode now. A byte below 0x30, such as a comma or a line end, is never
 * part of a longer character. After it the decoder has no state. iconv-lite 0.7.3 keeps state wrongly between
 * calls for some encodings (gb18030, big5).
 */
function wholeLength(bytes: Buffer): number {
  for (let at = bytes.length; at > 0; at--) if (bytes[at - 1]! < 0x30) return at
  return bytes.length > MAX_HELD_BYTES ? bytes.length : 0
}

/** Returns the index of the first invalid byte of a chunk; 0 if that is in the chunk before. */
function badByte(chunk: Buffer, encoding: string): number {
  const decoder = iconv().getDecoder(encoding)
  for (let at = 0; at < chunk.length; at++) {
    if (decoder.write(chunk.subarray(at, at + 1)).includes('\ufffd')) return at
  }
  return 0
}
