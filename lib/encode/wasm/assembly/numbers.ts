/**
 * Reads decimals. Each function writes a field and returns the address after it, or returns 0 for text that
 * it does not read: the encoder in JavaScript reads it then. Both write the same bytes.
 */

import { MINUS, POINT, ZERO } from '../../../values/text/ascii'
import { put16, put32, putFloat64Field, putInt16Field, putInt32Field, putInt64Field } from './fields'

/** Every integer of this many digits fits in 64 bits. */
const MAX_INTEGER_DIGITS: usize = 18

/** Reads `-?\d{1,18}` for a field of `size` bytes. */
export function putInteger(at: usize, end: usize, out: usize, size: i32): usize {
  const isNegative = load<u8>(at) === MINUS
  if (isNegative) at++
  if (at >= end || end - at > MAX_INTEGER_DIGITS) return 0
  let value: i64 = 0
  for (; at < end; at++) {
    const digit: u32 = (load<u8>(at) as u32) - ZERO
    if (digit > 9) return 0
    value = value * 10 + digit
  }
  if (isNegative) value = -value
  if (size === 8) return putInt64Field(out, value)
  if (size === 4) return value === (value as i32 as i64) ? putInt32Field(out, value as i32) : 0
  return value === (value as i16 as i64) ? putInt16Field(out, value as i32) : 0
}

/** From this value on the head has 15 digits and takes no more: all such numbers are exact in a double. */
const HEAD_FULL: f64 = 1e14

/** Reads `-?\d+(\.\d+)?` where arithmetic can find the nearest double. */
export function putDouble(at: usize, end: usize, out: usize): usize {
  const isNegative = load<u8>(at) === MINUS
  if (isNegative) at++
  const first = at
  let head: f64 = 0
  let tail: f64 = 0
  let tailDigits: i32 = 0
  let point: usize = 0
  for (; at < end; at++) {
    const byte: u32 = load<u8>(at)
    const digit = byte - ZERO
    if (digit <= 9) {
      if (head < HEAD_FULL) head = head * 10 + (digit as f64)
      else {
        tail = tail * 10 + (digit as f64)
        tailDigits++
      }
    } else if (byte === POINT && !point && at > first) point = at
    else return 0
  }
  const decimals = point ? ((end - point - 1) as i32) : 0
  if (end <= first || (point && !decimals)) return 0
  const double = nearestDouble(head, tail, tailDigits, decimals)
  if (Number.isNaN(double)) return 0
  return putFloat64Field(out, isNegative ? -double : double)
}

/** The powers of ten that are exact in a double. */
const POWERS: StaticArray<f64> = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
]

const MAX_TAIL_DIGITS = 6
const DOUBT: f64 = 1.262177448353619e-29 // 2^-96

/** The same arithmetic as `nearestDouble` in codecs/numbers, where it is explained. */
function nearestDouble(head: f64, tail: f64, tailDigits: i32, decimals: i32): f64 {
  if (decimals >= POWERS.length || tailDigits > MAX_TAIL_DIGITS) return NaN
  const divisor = unchecked(POWERS[decimals])
  if (tailDigits === 0) return head / divisor
  const scale = unchecked(POWERS[tailDigits])
  const product = head * scale
  const rest = productError(head, scale, product) + tail
  const quotient = product / divisor
  const back = quotient * divisor
  const remainder = product - back - productError(quotient, divisor, back) + rest
  const correction = remainder / divisor
  const doubt = quotient * DOUBT
  const double = quotient + (correction - doubt)
  return double === quotient + (correction + doubt) ? double : NaN
}

function productError(a: f64, b: f64, product: f64): f64 {
  const aHigh = highHalf(a)
  const aLow = a - aHigh
  const bHigh = highHalf(b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

function highHalf(value: f64): f64 {
  const wide = value * 134217729 // 2^27 + 1
  return wide - (wide - value)
}

const MAX_WHOLE_DIGITS: usize = 15
const MAX_DECIMALS: usize = 4
const NEGATIVE = 0x4000

/** Reads `-?\d+(\.\d+)?` as a numeric. */
export function putNumeric(at: usize, end: usize, out: usize): usize {
  const isNegative = load<u8>(at) === MINUS
  const first = isNegative ? at + 1 : at
  let whole: u64 = 0
  for (at = first; at < end; at++) {
    const digit: u32 = (load<u8>(at) as u32) - ZERO
    if (digit > 9) break
    whole = whole * 10 + digit
  }
  if (at === first) return 0
  const wholeEnd = at
  let fraction: u32 = 0
  if (at < end) {
    if (load<u8>(at) !== POINT || at + 1 === end) return 0
    for (at++; at < end; at++) {
      const digit: u32 = (load<u8>(at) as u32) - ZERO
      if (digit > 9) return 0
      fraction = fraction * 10 + digit
    }
  }
  const decimals: usize = wholeEnd === end ? 0 : end - wholeEnd - 1
  if (wholeEnd - first > MAX_WHOLE_DIGITS || decimals > MAX_DECIMALS) {
    return putLongNumeric(first, wholeEnd, end, out, isNegative)
  }
  for (let place = decimals; place < MAX_DECIMALS; place++) fraction *= 10
  return putShortNumeric(out, isNegative, whole, fraction, decimals as i32)
}

/** The most digits that are read here. */
const MAX_LONG: usize = 1000

/** Writes the base-10000 digits between the first and the last digit that is not zero. */
function putLongNumeric(first: usize, wholeEnd: usize, end: usize, out: usize, isNegative: bool): usize {
  if (end - first > MAX_LONG) return 0
  const scale = wholeEnd === end ? 0 : ((end - wholeEnd - 1) as i32)
  let from = first
  while (from < end && (load<u8>(from) as i32) <= ZERO) from++ // the point, too, is below "0"
  if (from === end) return putHead(out, 0, 0, false, scale)
  let last = end - 1
  while ((load<u8>(last) as i32) <= ZERO) last--
  const highest = powerOf(from, wholeEnd)
  const weight = highest >> 2
  const count = weight - (powerOf(last, wholeEnd) >> 2) + 1
  out = putHead(out, count, weight, isNegative, scale)
  let digit: i32 = 0
  let missing = highest - weight * 4 + 1 // decimal digits that the current base-10000 digit still lacks
  for (let at = from; at <= last; at++) {
    if (at === wholeEnd) continue
    digit = digit * 10 + (load<u8>(at) - ZERO)
    if (--missing === 0) {
      out = put16(out, digit)
      digit = 0
      missing = 4
    }
  }
  if (missing === 4) return out
  while (missing-- > 0) digit *= 10
  return put16(out, digit)
}

/** Returns the power of ten of the digit at an address. */
function powerOf(at: usize, wholeEnd: usize): i32 {
  return at < wholeEnd ? ((wholeEnd - at - 1) as i32) : -((at - wholeEnd) as i32)
}

/** Writes the length of the field and the four int16 that precede the digits. */
function putHead(out: usize, count: i32, weight: i32, isNegative: bool, scale: i32): usize {
  out = put16(put32(out, 8 + count * 2), count)
  return put16(put16(put16(out, weight), isNegative ? NEGATIVE : 0), scale)
}

/** Writes a number of up to 15 digits, and its decimals as one base-10000 digit. */
export function putShortNumeric(out: usize, isNegative: bool, whole: u64, fraction: u32, scale: i32): usize {
  const high = (whole / 100_000_000) as u32
  const low = (whole % 100_000_000) as u32
  const weight = high > 9999 ? 3 : high > 0 ? 2 : low > 9999 ? 1 : low > 0 ? 0 : -1
  const count = weight + (fraction > 0 ? 2 : 1)
  out = putHead(out, count, weight, isNegative && count > 0, scale)
  if (weight >= 3) out = put16(out, high / 10000)
  if (weight >= 2) out = put16(out, high % 10000)
  if (weight >= 1) out = put16(out, low / 10000)
  if (weight >= 0) out = put16(out, low % 10000)
  return fraction > 0 ? put16(out, fraction) : out
}
