import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'

/**
 * oid, and the types that stand for objects of the catalogue (regclass, regtype, …): four bytes without a
 * sign. Exact for numbers; the server looks up names.
 * @see https://www.postgresql.org/docs/current/datatype-oid.html
 */
export const oid: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined || !DIGITS.test(text)) return false
    const number = Number(text)
    if (number > 0xffffffff) return false
    out.putInt32(4)
    out.putInt32(number)
    return true
  },
}

const DIGITS = /^\d{1,10}$/
