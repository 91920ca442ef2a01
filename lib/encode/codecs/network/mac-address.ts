import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { hexAt } from '../text/hex.ts'

/**
 * macaddr and macaddr8: six and eight bytes. Exact for pairs of hex digits with a colon or a hyphen between
 * any two.
 * @see https://www.postgresql.org/docs/current/datatype-net-types.html#DATATYPE-MACADDR
 */
export const macaddr: FieldCodec = macAddressOf(6)
export const macaddr8: FieldCodec = macAddressOf(8)

function macAddressOf(size: 6 | 8): FieldCodec {
  return {
    text: prepareValue,
    binary(out, value) {
      const text = stringOf(value)
      if (text?.length !== size * 3 - 1) return false
      const separator = text[2]
      if (separator !== ':' && separator !== '-') return false
      out.putInt32(size)
      out.reserve(size)
      for (let at = 0; at < text.length; at += 3) {
        const high = hexAt(text, at)
        const low = hexAt(text, at + 1)
        if ((high | low) < 0 || (at > 0 && text[at - 1] !== separator)) return false
        out.bytes[out.length++] = (high << 4) | low
      }
      return true
    },
    textOfBinary: bytes => hexPairs(bytes, size),
  }
}

function hexPairs(bytes: Buffer, count: number): string | undefined {
  return bytes.length === count ? bytes.toString('hex').replace(/..(?=.)/g, '$&:') : undefined
}
