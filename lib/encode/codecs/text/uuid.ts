import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { hexAt } from './hex.ts'

/**
 * Sixteen bytes. Exact for the standard form only: 8-4-4-4-12 hex digits in either case.
 * @see https://www.postgresql.org/docs/current/datatype-uuid.html
 */
export const uuid: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    if (typeof value !== 'string' || value.length !== 36) return false
    out.reserve(20)
    out.view.setInt32(out.length, 16)
    const { bytes } = out
    let at = out.length + 4
    for (let i = 0; i < 36; i += 2) {
      if (i === 8 || i === 13 || i === 18 || i === 23) {
        if (value.charCodeAt(i) !== 0x2d) return false
        i++
      }
      const high = hexAt(value, i)
      const low = hexAt(value, i + 1)
      if ((high | low) < 0) return false
      bytes[at++] = (high << 4) | low
    }
    out.length = at
    return true
  },
  wasm: 'uuid',
  textOfBinary: bytes =>
    bytes.length === 16
      ? bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      : undefined,
}
