import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { hexAt, hexOf } from './hex.ts'
import { putTextField } from './text.ts'

/**
 * The bytes themselves. Callers handle views of bytes. Strings are in bytea's input syntax: '\x' and hex
 * digits, or printable ASCII without a backslash. The rest is left to the server's byteain.
 * @see https://www.postgresql.org/docs/current/datatype-binary.html
 */
export const bytea: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = prepareValue(value)
    if (typeof text !== 'string') return false
    if (text.length <= SHORT && text.startsWith('\\x')) return putShortHex(out, text)
    if (HEX.test(text)) {
      const count = (text.length - 2) / 2
      out.putInt32(count)
      out.reserve(count)
      out.bytes.write(text.slice(2), out.length, 'hex')
      out.length += count
      return true
    }
    if (!PLAIN.test(text)) return false
    putTextField(out, text)
    return true
  },
  textOfBinary: hexOf,
}

/**
 * Up to this length a loop over the digits is faster than a regular expression and a call into the engine.
 */
const SHORT = 256

function putShortHex(out: ByteBuffer, text: string): boolean {
  const { length } = text
  if (length % 2 === 1) return false
  out.putInt32(length / 2 - 1)
  out.reserve(length / 2)
  const { bytes } = out
  let at = out.length
  for (let i = 2; i < length; i += 2) {
    const high = hexAt(text, i)
    const low = hexAt(text, i + 1)
    if ((high | low) < 0) return false
    bytes[at++] = (high << 4) | low
  }
  out.length = at
  return true
}

const HEX = /^\\x(?:[0-9a-fA-F]{2})*$/
const PLAIN = /^[ -[\]-~]*$/
