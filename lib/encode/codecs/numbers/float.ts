import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { type FieldCodec, NOT_COMMON, type PutCommon, type PutField, type ScanField } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { scanString } from '../text/scan-string.ts'
import { HEAD_FULL, nearestDouble } from './nearest-double.ts'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

const putFloat8: PutField = (out, value) => {
  if (typeof value === 'number') return putDouble(out, value + 0) // -0 + 0 is 0, as String(-0) is '0'
  const double = toDouble(value)
  if (double === undefined) return false
  return putDouble(out, double)
}

function putDouble(out: ByteBuffer, double: number): boolean {
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setFloat64(out.length + 4, double)
  out.length += 12
  return true
}

const commonFloat8: PutCommon = (out, at, value) => {
  if (typeof value !== 'number') return NOT_COMMON
  out.view.setInt32(at, 8)
  out.view.setFloat64(at + 4, value + 0)
  return at + 12
}

/**
 * The server's float4in rounds a decimal once. By way of a double it is rounded twice, which differs only
 * where the double is exactly in the middle between two floats. Everywhere else the decimal is on the same
 * side of the middle as its nearest double, because the middle is itself a double.
 */
export const float4: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const double = typeof value === 'number' ? value + 0 : toDouble(value)
    if (double === undefined) return false
    const float = Math.fround(double)
    if (float !== double && !Number.isNaN(double) && !isNearestFloat(float, double)) return false
    out.reserve(8)
    out.view.setInt32(out.length, 4)
    out.view.setFloat32(out.length + 4, float)
    out.length += 8
    return true
  },
}

/** Returns true if the float, which a double was rounded to, is certainly the nearest to its decimal, too. */
export function isNearestFloat(float: number, double: number): boolean {
  return Number.isFinite(float) && Math.abs(float) >= SMALLEST_NORMAL && !isMiddle(double)
}

/** Smaller floats have fewer bits, so that the arithmetic of isMiddle does not hold. */
const SMALLEST_NORMAL = 2 ** -126

const scratch = new DataView(new ArrayBuffer(8))

/**
 * Returns true where the 29 bits that a float of 23 bits of fraction drops from a double's 52 are a one and
 * zeros.
 */
function isMiddle(double: number): boolean {
  scratch.setFloat64(0, double)
  return (scratch.getInt32(4) & 0x1fffffff) === 0x10000000
}

const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** Returns the double that the server reads; undefined where only the server can decide. */
export function toDouble(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const plain = plainDecimal(value, 0, value.length)
    if (!Number.isNaN(plain)) return plain
    switch (value) {
      case 'NaN':
        return Number.NaN
      case 'Infinity':
        return Number.POSITIVE_INFINITY
      case '-Infinity':
        return Number.NEGATIVE_INFINITY
    }
    if (!DECIMAL.test(value)) return undefined
    const double = Number(value)
    if (!Number.isFinite(double)) return undefined
    if (double === 0 && /^[^eE]*[1-9]/.test(value)) return undefined
    return double
  }
  if (typeof value === 'bigint') {
    const double = Number(value)
    return Number.isFinite(double) ? double : undefined
  }
  return undefined
}

/** Reads `-?\d+(\.\d+)?` where arithmetic can find the nearest double; else returns NaN. */
export function plainDecimal(text: string, from: number, end: number): number {
  const start = from < end && text.charCodeAt(from) === MINUS ? from + 1 : from
  let head = 0
  let tail = 0
  let tailDigits = 0
  let point = -1
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    const digit = code - ZERO
    if (digit >= 0 && digit <= 9) {
      if (head < HEAD_FULL) head = head * 10 + digit
      else {
        tail = tail * 10 + digit
        tailDigits++
      }
    } else if (code === POINT && point < 0 && i > start) point = i
    else return Number.NaN
  }
  if (end === start || point === end - 1) return Number.NaN
  const magnitude = nearestDouble(head, tail, tailDigits, point < 0 ? 0 : end - 1 - point)
  return start > from ? -magnitude : magnitude
}

const slow = scanString(putFloat8)

/** Reads `-?\d+(\.\d+)?`; all else is for `slow`. */
const scanFloat8: ScanField = (out, bytes, at, end, delimiter) => {
  const negative = at < end && bytes[at] === MINUS
  const first = negative ? at + 1 : at
  let head = 0
  let tail = 0
  let tailDigits = 0
  let point = -1
  let stop = first
  for (; stop < end; stop++) {
    const byte = bytes[stop]!
    if (byte === delimiter) break
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      if (head < HEAD_FULL) head = head * 10 + digit
      else {
        tail = tail * 10 + digit
        tailDigits++
      }
    } else if (byte === POINT && point < 0 && stop > first) point = stop
    else return slow(out, bytes, at, end, delimiter)
  }
  const decimals = point < 0 ? 0 : stop - point - 1
  if (stop === first || (point >= 0 && decimals === 0)) return slow(out, bytes, at, end, delimiter)
  const double = nearestDouble(head, tail, tailDigits, decimals)
  if (Number.isNaN(double)) return slow(out, bytes, at, end, delimiter)
  putDouble(out, negative ? -double : double)
  return stop
}

/**
 * float4 and float8: IEEE 754 in network byte order. JavaScript reads decimals as strtod does, to the nearest
 * double, and `String(number)` reads back as the same number, so doubles are exact. A value that is out of
 * range (overflow and underflow) is left to the server, which refuses it.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/float.c (float8in_internal)
 */
export const float8: FieldCodec = {
  text: prepareValue,
  binary: putFloat8,
  common: commonFloat8,
  scan: scanFloat8,
  wasm: 'float8',
}
