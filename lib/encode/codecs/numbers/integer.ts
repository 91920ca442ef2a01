import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { type FieldCodec, NOT_COMMON, type PutCommon, type PutField, type ScanField } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { scanString } from '../text/scan-string.ts'

const putInt2: PutField = (out, value) => {
  const integer = toSafeInteger(value)
  if (!(integer >= -0x8000 && integer <= 0x7fff)) return false
  out.reserve(6)
  out.view.setInt32(out.length, 2)
  out.view.setInt16(out.length + 4, integer)
  out.length += 6
  return true
}

const putInt4: PutField = (out, value) => {
  const integer = toSafeInteger(value)
  if (!(integer >= -0x80000000 && integer <= 0x7fffffff)) return false
  out.reserve(8)
  out.view.setInt32(out.length, 4)
  out.view.setInt32(out.length + 4, integer)
  out.length += 8
  return true
}

const putInt8: PutField = (out, value) => {
  if (typeof value === 'bigint') return putBigInt(out, value)
  const integer = toSafeInteger(value)
  if (Number.isNaN(integer)) {
    // pg also sends the digits that JavaScript writes for a number that is not a safe integer
    const text = typeof value === 'number' ? String(value) : value
    return typeof text === 'string' && LONG.test(text) && putBigInt(out, BigInt(text))
  }
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setInt32(out.length + 4, Math.floor(integer / 0x1_0000_0000))
  out.view.setInt32(out.length + 8, integer)
  out.length += 12
  return true
}

/** What toSafeInteger does not read and may still fit 64 bits. BigInt('-0') and leading zeros are fine. */
const LONG = /^-?\d{16,32}$/

function putBigInt(out: ByteBuffer, value: bigint): boolean {
  if (BigInt.asIntN(64, value) !== value) return false
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setBigInt64(out.length + 4, value)
  out.length += 12
  return true
}

const commonInt2: PutCommon = (out, at, value) => {
  if (typeof value !== 'number' || (value << 16) >> 16 !== value) return NOT_COMMON
  out.view.setInt32(at, 2)
  out.view.setInt16(at + 4, value)
  return at + 6
}

const commonInt4: PutCommon = (out, at, value) => {
  if (typeof value !== 'number' || (value | 0) !== value) return NOT_COMMON
  out.view.setInt32(at, 4)
  out.view.setInt32(at + 4, value)
  return at + 8
}

const commonInt8: PutCommon = (out, at, value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return NOT_COMMON
  out.view.setInt32(at, 8)
  out.view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000))
  out.view.setInt32(at + 8, value)
  return at + 12
}

/** Returns the value as a safe integer, or NaN. */
function toSafeInteger(value: unknown): number {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : Number.NaN
  if (typeof value === 'string') return parseDigits(value)
  if (typeof value === 'bigint') {
    return value >= -0x80000000n && value <= 0x7fffffffn ? Number(value) : Number.NaN
  }
  return Number.NaN
}

/** Reads `-?\d{1,15}`; returns NaN for all else. */
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

const MINUS = 0x2d
const ZERO = 0x30

/** Every integer of this many digits is exact in a double. */
const EXACT_DIGITS = 15

/** Reads `-?\d{1,15}` for a field of `size` bytes; all else is for `slow`. */
function scanInteger(size: 2 | 4 | 8, slow: ScanField): ScanField {
  const beyond = size === 8 ? Number.POSITIVE_INFINITY : 2 ** (size * 8 - 1)
  return (out, bytes, at, end, delimiter) => {
    const negative = at < end && bytes[at] === MINUS
    const first = negative ? at + 1 : at
    let integer = 0
    let stop = first
    for (; stop < end; stop++) {
      const byte = bytes[stop]!
      if (byte === delimiter) break
      const digit = byte - ZERO
      if (digit < 0 || digit > 9) return slow(out, bytes, at, end, delimiter)
      integer = integer * 10 + digit
    }
    const digits = stop - first
    if (digits === 0 || digits > EXACT_DIGITS || integer >= beyond)
      return slow(out, bytes, at, end, delimiter)
    if (negative) integer = -integer
    out.reserve(12)
    const { view, length } = out
    view.setInt32(length, size)
    if (size === 4) view.setInt32(length + 4, integer)
    else if (size === 2) view.setInt16(length + 4, integer)
    else {
      view.setInt32(length + 4, Math.floor(integer / 0x1_0000_0000))
      view.setInt32(length + 8, integer)
    }
    out.length = length + 4 + size
    return stop
  }
}

function codec(size: 2 | 4 | 8, binary: PutField, common: PutCommon): FieldCodec {
  return {
    text: prepareValue,
    binary,
    common,
    scan: scanInteger(size, scanString(binary)),
    wasm: `int${size}`,
  }
}

/**
 * int2, int4 and int8: two's complement in network byte order.
 * Exact for safe integers, bigints and strings of digits; -0 is 0, as `String(-0)` is. A larger number is
 * the one that `String` writes.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/int8.c (int8recv)
 */
export const int2: FieldCodec = codec(2, putInt2, commonInt2)
export const int4: FieldCodec = codec(4, putInt4, commonInt4)
export const int8: FieldCodec = codec(8, putInt8, commonInt8)
