import type { ByteBuffer } from '../wire/byte-buffer.ts'
import type { Codec } from './codec.ts'
import { prepareValue } from './parameter.ts'

/**
 * int2, int4 and int8: two's complement in network byte order.
 * Exact for safe integers, bigints and strings of digits; -0 is 0, as `String(-0)` is.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/int8.c (int8recv)
 */
export const int2: Codec = {
  text: prepareValue,
  binary(out, value) {
    const integer = toSafeInteger(value)
    if (!(integer >= -0x8000 && integer <= 0x7fff)) return false
    out.reserve(6)
    out.view.setInt32(out.length, 2)
    out.view.setInt16(out.length + 4, integer)
    out.length += 6
    return true
  },
}

export const int4: Codec = {
  text: prepareValue,
  binary(out, value) {
    const integer = toSafeInteger(value)
    if (!(integer >= -0x80000000 && integer <= 0x7fffffff)) return false
    out.reserve(8)
    out.view.setInt32(out.length, 4)
    out.view.setInt32(out.length + 4, integer)
    out.length += 8
    return true
  },
}

export const int8: Codec = {
  text: prepareValue,
  binary(out, value) {
    if (typeof value === 'bigint') return putInt8(out, value)
    const integer = toSafeInteger(value)
    if (Number.isNaN(integer))
      return typeof value === 'string' && LONG.test(value) && putInt8(out, BigInt(value))
    out.reserve(12)
    out.view.setInt32(out.length, 8)
    out.view.setInt32(out.length + 4, Math.floor(integer / 0x1_0000_0000))
    out.view.setInt32(out.length + 8, integer)
    out.length += 12
    return true
  },
}

/** What toSafeInteger leaves out and still may fit 64 bits. BigInt('-0') and leading zeros are fine. */
const LONG = /^-?\d{16,32}$/

function putInt8(out: ByteBuffer, value: bigint): boolean {
  if (BigInt.asIntN(64, value) !== value) return false
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setBigInt64(out.length + 4, value)
  out.length += 12
  return true
}

/** The safe integer that the value's text says, or NaN. */
function toSafeInteger(value: unknown): number {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : Number.NaN
  if (typeof value === 'string') return parseDigits(value)
  if (typeof value === 'bigint') {
    return value >= -0x80000000n && value <= 0x7fffffffn ? Number(value) : Number.NaN
  }
  return Number.NaN
}

/** `/^-?\d{1,15}$/`, else NaN. */
function parseDigits(text: string): number {
  const { length } = text
  const negative = length > 0 && text.charCodeAt(0) === 0x2d
  let i = negative ? 1 : 0
  if (i === length || length - i > 15) return Number.NaN
  let integer = 0
  for (; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    integer = integer * 10 + digit
  }
  return negative ? -integer : integer
}
