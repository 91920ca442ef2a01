import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { NEEDS_TEXT, type ScanField } from '../codec.ts'
import { daysInMonth, daysSince2000 } from './iso-8601.ts'
import { putSeconds } from './put-timestamp.ts'

const DASH = 0x2d
const PLUS = 0x2b
const COLON = 0x3a
const POINT = 0x2e
const SPACE = 0x20
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const ZERO = 0x30

const DATE_BYTES = 10
/** `YYYY-MM-DD[T ]HH:MM:SS` */
const SECONDS_BYTES = 19

/** Reads `YYYY-MM-DD`, as programs write it; all else is for `slow`. */
export function scanDate(slow: ScanField): ScanField {
  return (out, bytes, at, end, delimiter) => {
    const stop = at + DATE_BYTES
    const days = isEnd(bytes, stop, end, delimiter) ? readDate(bytes, at) : Number.NaN
    if (Number.isNaN(days)) return slow(out, bytes, at, end, delimiter)
    out.reserve(8)
    out.view.setInt32(out.length, 4)
    out.view.setInt32(out.length + 4, days)
    out.length += 8
    return stop
  }
}

/** Reads `YYYY-MM-DD[T ]HH:MM:SS[.f{1,6}](Z|±HH[:MM])`, as programs write it; all else is for `slow`. */
export function scanTimestamptz(slow: ScanField): ScanField {
  return (out, bytes, at, end, delimiter) => {
    const stop = putTimestamp(out, bytes, at, end, delimiter, true)
    return stop === NEEDS_TEXT ? slow(out, bytes, at, end, delimiter) : stop
  }
}

/** Reads the same without an offset, for timestamp. */
export function scanTimestamp(slow: ScanField): ScanField {
  return (out, bytes, at, end, delimiter) => {
    const stop = putTimestamp(out, bytes, at, end, delimiter, false)
    return stop === NEEDS_TEXT ? slow(out, bytes, at, end, delimiter) : stop
  }
}

function putTimestamp(
  out: ByteBuffer,
  bytes: Buffer,
  start: number,
  end: number,
  delimiter: number,
  withOffset: boolean,
): number {
  if (end - start < SECONDS_BYTES) return NEEDS_TEXT
  const between = bytes[start + 10]
  if (between !== LETTER_T && between !== SPACE) return NEEDS_TEXT
  if (bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) return NEEDS_TEXT
  const days = readDate(bytes, start)
  const hour = twoDigits(bytes, start + 11)
  const minute = twoDigits(bytes, start + 14)
  const second = twoDigits(bytes, start + 17)
  // NaN, for what is not two digits, fails each of these comparisons
  if (!(hour <= 23 && minute <= 59 && second <= 59) || Number.isNaN(days)) return NEEDS_TEXT

  let at = start + SECONDS_BYTES
  let micros = 0
  if (at < end && bytes[at] === POINT) {
    let unit = 100_000
    for (at++; at < end && unit >= 1; at++, unit /= 10) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) break
      micros += digit * unit
    }
    if (unit === 100_000) return NEEDS_TEXT
  }
  let offset = 0
  if (withOffset) {
    const length = offsetBytes(bytes, at, end, delimiter)
    offset = readOffset(bytes, at, length)
    at += length
  }
  if (Number.isNaN(offset) || !isEnd(bytes, at, end, delimiter)) return NEEDS_TEXT
  putSeconds(out, days * 86_400 + hour * 3600 + minute * 60 + second - offset, micros)
  return at
}

function isEnd(bytes: Buffer, at: number, end: number, delimiter: number): boolean {
  return at === end || (at < end && bytes[at] === delimiter)
}

/** Reads `YYYY-MM-DD` as days since 2000-01-01; returns NaN for all else. */
function readDate(bytes: Buffer, at: number): number {
  if (bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return Number.NaN
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return Number.NaN
  if (day > 28 && day > daysInMonth(year, month)) return Number.NaN
  return daysSince2000(year, month, day)
}

/** Returns the length of an offset here, if there is one: Z, ±HH or ±HH:MM. */
function offsetBytes(bytes: Buffer, at: number, end: number, delimiter: number): number {
  if (at >= end || bytes[at] === LETTER_Z) return 1
  return at + 3 < end && bytes[at + 3] !== delimiter ? 6 : 3
}

/** Returns seconds east of Greenwich; NaN for what is neither Z nor ±HH nor ±HH:MM. */
function readOffset(bytes: Buffer, at: number, length: number): number {
  const sign = bytes[at]
  if (length === 1) return sign === LETTER_Z ? 0 : Number.NaN
  if (sign !== PLUS && sign !== DASH) return Number.NaN
  const hour = twoDigits(bytes, at + 1)
  const minute = length === 3 ? 0 : bytes[at + 3] === COLON ? twoDigits(bytes, at + 4) : Number.NaN
  if (!(hour <= 15 && minute <= 59)) return Number.NaN
  return (hour * 3600 + minute * 60) * (sign === DASH ? -1 : 1)
}

function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - ZERO
  const ones = bytes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}
