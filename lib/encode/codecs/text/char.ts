import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'

/**
 * The type "char": one byte. Exact for at most one character of ASCII; NUL stands for the empty string. The
 * server makes one byte of longer texts.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/char.c (charrecv)
 */
export const char: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined || text.length > 1) return false
    const code = text === '' ? 0 : text.charCodeAt(0)
    if (code > 0x7f || (code === 0 && text !== '')) return false
    out.putInt32(1)
    out.reserve(1)
    out.bytes[out.length++] = code
    return true
  },
}
