import type { ByteBuffer } from './byte-buffer.ts'
import type { PutUtf8 } from './codec.ts'
import { putMicroseconds } from './codecs/timestamp.ts'
import { daysInMonth, daysSince2000 } from './iso-8601.ts'

const DASH = 0x2d
const PLUS = 0x2b
const COLON = 0x3a
const POINT = 0x2e
const SPACE = 0x20
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const ZERO = 0x30

/** `YYYY-MM-DD[T ]HH:MM:SS` */
const SECONDS_BYTES = 19

/**
 * What programs write, `YYYY-MM-DD[T ]HH:MM:SS[.f{1,6}](Z|±HH[:MM])`, without a string; all else is for `IsoReader`.
 * @param slow what reads all else
 */
export function putUtf8Timestamptz(slow: PutUtf8): PutUtf8 {
  return (out, bytes, start, end) => putAtOnce(out, bytes, start, end, true) || slow(out, bytes, start, end)
}

/** The same without an offset, for timestamp. */
export function putUtf8Timestamp(slow: PutUtf8): PutUtf8 {
  return (out, bytes, start, end) => putAtOnce(out, bytes, start, end, false) || slow(out, bytes, start, end)
}

function putAtOnce(out: ByteBuffer, bytes: Buffer, start: number, end: number, withOffset: boolean): boolean {
  if (end - start < SECONDS_BYTES) return false
  const marks = bytes[start + 4] === DASH && bytes[start + 7] === DASH && bytes[start + 13] === COLON
  const between = bytes[start + 10]
  if (!marks || bytes[start + 16] !== COLON || (between !== LETTER_T && between !== SPACE)) return false
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  const hour = twoDigits(bytes, start + 11)
  const minute = twoDigits(bytes, start + 14)
  const second = twoDigits(bytes, start + 17)
  // what is not two digits is NaN, of which none of this holds
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return false
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return false
  if (day > 28 && day > daysInMonth(year, month)) return false

  let at = start + SECONDS_BYTES
  let micros = 0
  if (at < end && bytes[at] === POINT) {
    let unit = 100_000
    for (at++; at < end && unit >= 1; at++, unit /= 10) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) break
      micros += digit * unit
    }
    if (unit === 100_000) return false
  }
  const offset = withOffset ? offsetOf(bytes, at, end) : at === end ? 0 : Number.NaN
  if (Number.isNaN(offset)) return false
  const seconds = daysSince2000(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
  return putMicroseconds(out, seconds - offset, micros)
}

/** Seconds east of Greenwich. NaN for what is neither Z nor ±HH nor ±HH:MM. */
function offsetOf(bytes: Buffer, at: number, end: number): number {
  const sign = bytes[at]
  if (end - at === 1) return sign === LETTER_Z ? 0 : Number.NaN
  if ((sign !== PLUS && sign !== DASH) || (end - at !== 3 && end - at !== 6)) return Number.NaN
  const hour = twoDigits(bytes, at + 1)
  const minute = end - at === 3 ? 0 : bytes[at + 3] === COLON ? twoDigits(bytes, at + 4) : Number.NaN
  if (!(hour <= 15 && minute <= 59)) return Number.NaN
  return (hour * 3600 + minute * 60) * (sign === DASH ? -1 : 1)
}

function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - ZERO
  const ones = bytes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}
