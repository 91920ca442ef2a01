import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'

/**
 * bit and varbit: the number of bits, and the bits from the first byte's highest on. Exact for zeros and ones
 * only; hex digits after an x are left to the server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/varbit.c (bit_recv)
 */
export const bitString: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined) return false
    const size = (text.length + 7) >> 3
    out.putInt32(4 + size)
    out.putInt32(text.length)
    out.reserve(size)
    const { bytes, length } = out
    bytes.fill(0, length, length + size)
    for (let i = 0; i < text.length; i++) {
      const bit = text.charCodeAt(i) - ZERO
      if (bit !== 0 && bit !== 1) return false
      bytes[length + (i >> 3)]! |= bit << (7 - (i & 7))
    }
    out.length += size
    return true
  },
}

const ZERO = 0x30
