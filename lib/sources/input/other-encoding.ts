import { createRequire } from 'node:module'
import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { SourceError } from '../source-error.ts'

/** Loaded when a name is not one of ours: most files are UTF-8. */
const iconv = () => createRequire(import.meta.url)('iconv-lite') as typeof import('iconv-lite')

/** What iconv-lite takes for an encoding, and is none of text, or not one of which every error shows. */
const NO_ENCODING = /^(base64|hex|binary|utf-?7.*|cesu-?8|internal|.*-internal)$/i

/** True for an encoding that iconv-lite decodes. */
export function isOtherEncoding(name: string): boolean {
  if (!/^[a-z\d][\w.:-]*$/i.test(name) || NO_ENCODING.test(name)) return false
  return !(name in Object.prototype) && iconv().encodingExists(name)
}

/** In place of what the encoding does not have; half of a character would become the same. */
const BAD = /\ufffd|\p{Surrogate}/u

/** Makes UTF-8 of a file's bytes. What the encoding does not have is an error, never U+FFFD. */
export function otherEncoding(name: string, encoding: string): Transform {
  const decoder = iconv().getDecoder(encoding)
  const isWide = /^utf-?32/.test(encoding)
  let position = 0
  let held: Buffer = Buffer.alloc(0)

  const invalid = (where: string) => new SourceError(`${name}: not valid ${encoding}, ${where}`)

  function take(chunk: Buffer): Buffer | undefined {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const length = isWide ? bytes.length - (bytes.length % 4) : wholeLength(bytes)
    held = bytes.subarray(length)
    return decode(bytes.subarray(0, length))
  }

  function decode(bytes: Buffer): Buffer | undefined {
    const text = decoder.write(bytes)
    if (BAD.test(text)) throw invalid(`near byte ${position + badByte(bytes, encoding)}`)
    position += bytes.length
    return text === '' ? undefined : Buffer.from(text)
  }

  function end(): Buffer | undefined {
    const last = decode(held)
    const text = decoder.end() ?? ''
    if (BAD.test(text)) throw invalid('it ends in the middle of a character')
    return text === '' ? last : Buffer.concat([last ?? Buffer.alloc(0), Buffer.from(text)])
  }

  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => take(chunk), done),
    flush: done => runWork(end, done),
  })
}

/** More than that without a byte of ASCII is no text. */
const MAX_HELD_BYTES = 1024 * 1024

/**
 * How many of the bytes are decoded now. A byte below 0x30, such as a comma or a line end, is no part of a longer
 * character in any of the encodings: behind it the decoder has no state, which in some of them it keeps wrongly
 * from one call to the next (iconv-lite 0.7.3: gb18030, big5).
 */
function wholeLength(bytes: Buffer): number {
  for (let at = bytes.length; at > 0; at--) if (bytes[at - 1]! < 0x30) return at
  return bytes.length > MAX_HELD_BYTES ? bytes.length : 0
}

/** Where in a chunk the first byte is that makes it invalid; 0 where that lies in the chunk before. */
function badByte(chunk: Buffer, encoding: string): number {
  const decoder = iconv().getDecoder(encoding)
  for (let at = 0; at < chunk.length; at++) {
    if (decoder.write(chunk.subarray(at, at + 1)).includes('\ufffd')) return at
  }
  return 0
}
