import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'

/**
 * pg_lsn: eight bytes, which its text shows in two halves: '16/B374D848'.
 * @see https://www.postgresql.org/docs/current/datatype-pg-lsn.html
 */
export const pgLsn: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const halves = typeof value === 'string' ? HALVES.exec(value) : null
    if (!halves) return false
    out.putInt32(8)
    out.putInt32(Number.parseInt(halves[1]!, 16))
    out.putInt32(Number.parseInt(halves[2]!, 16))
    return true
  },
}

const HALVES = /^([\da-fA-F]{1,8})\/([\da-fA-F]{1,8})$/
