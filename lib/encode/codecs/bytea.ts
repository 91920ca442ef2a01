import type { Codec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { putTextField } from './text.ts'

/**
 * The bytes themselves. Views of bytes never come here; strings are in bytea's input syntax: '\x' and hex
 * digits, or printable ASCII without a backslash. The rest is left to byteain.
 * @see https://www.postgresql.org/docs/current/datatype-binary.html
 */
export const bytea: Codec = {
  text: prepareValue,
  binary(out, value) {
    const text = prepareValue(value)
    if (typeof text !== 'string') return false
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
  textOfBinary: bytes => `\\x${bytes.toString('hex')}`,
}

const HEX = /^\\x(?:[0-9a-fA-F]{2})*$/
const PLAIN = /^[ -[\]-~]*$/
