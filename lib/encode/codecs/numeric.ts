import type { ByteBuffer } from '../byte-buffer.ts'
import type { Codec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'

/**
 * numeric: base-10000 digits, the weight of the first one, a sign, and the number of decimals to show. Exact
 * for decimals of any length; the server's numeric_recv applies the column's precision and scale as
 * the cast of a parameter does.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c (numeric_recv, set_var_from_str)
 */
export const numeric: Codec = {
  text: prepareValue,
  binary(out, value) {
    if (typeof value === 'string') return putDecimal(out, value)
    if (typeof value === 'number') return putNumber(out, value)
    return typeof value === 'bigint' && putDecimal(out, value.toString())
  },
}

const POSITIVE = 0
const NEGATIVE = 0x4000
const NAN = 0xc000
const INFINITY = 0xd000
const MINUS_INFINITY = 0xf000

const MAX_SCALE = 0x3fff
const MAX_WEIGHT = 0x7fff

/** Four int16: digit count, weight, sign, scale. */
const HEADER_BYTES = 8

function putHeader(out: ByteBuffer, count: number, weight: number, sign: number, scale: number): void {
  const { view, length } = out
  view.setInt32(length, HEADER_BYTES + count * 2)
  view.setInt16(length + 4, count)
  view.setInt16(length + 6, weight)
  view.setInt16(length + 8, sign)
  view.setInt16(length + 10, scale)
  out.length = length + 4 + HEADER_BYTES
}

function putSpecial(out: ByteBuffer, sign: number): boolean {
  out.reserve(4 + HEADER_BYTES)
  putHeader(out, 0, 0, sign, 0)
  return true
}

/**
 * Most numbers are decimals of few places. If k / 10000 is the number and k has at most 15 digits, then it is the
 * only such decimal, hence what String(number) says: no text is needed.
 */
function putNumber(out: ByteBuffer, value: number): boolean {
  const shifted = Math.round(value * 10_000)
  if (!(shifted < 1e15 && shifted > -1e15) || shifted / 10_000 !== value)
    return putDecimal(out, String(value))
  const magnitude = Math.abs(shifted)
  const fraction = magnitude % 10_000
  const whole = (magnitude - fraction) / 10_000
  const low = whole % 10_000
  const middle = Math.floor(whole / 10_000) % 10_000
  const high = Math.floor(whole / 100_000_000)
  const weight = high > 0 ? 2 : middle > 0 ? 1 : low > 0 ? 0 : -1
  const scale = fraction === 0 ? 0 : fraction % 10 ? 4 : fraction % 100 ? 3 : fraction % 1000 ? 2 : 1
  if (magnitude === 0) return putSpecial(out, POSITIVE)
  out.reserve(4 + HEADER_BYTES + 8)
  const end = fraction > 0 ? -1 : 0
  putHeader(out, weight - end + 1, weight, value < 0 ? NEGATIVE : POSITIVE, scale)
  // Trailing zeros may stay: numeric_recv strips them.
  if (weight >= 2) putDigit(out, high)
  if (weight >= 1) putDigit(out, middle)
  if (weight >= 0) putDigit(out, low)
  if (fraction > 0) putDigit(out, fraction)
  return true
}

function putDigit(out: ByteBuffer, digit: number): void {
  out.view.setInt16(out.length, digit)
  out.length += 2
}

/** `-?\d+(\.\d+)?([eE][-+]?\d{1,6})?`, and the names of the special values. */
function putDecimal(out: ByteBuffer, text: string): boolean {
  const { length } = text
  const start = length > 0 && text.charCodeAt(0) === 0x2d ? 1 : 0
  let point = -1
  let firstDigit = -1 // places of the first and last digit that are not 0
  let lastDigit = -1
  let end = start
  for (; end < length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x2e && point < 0) {
      point = end
    } else {
      if (code > 0x39 || code < 0x30) break
      if (code !== 0x30) {
        if (firstDigit < 0) firstDigit = end
        lastDigit = end
      }
    }
  }
  let exponent = 0
  if (end < length) {
    if (!EXPONENT.test(end === 0 ? text : text.slice(end))) return putNamed(out, text)
    exponent = Number(text.slice(end + 1))
  }
  const wholeEnd = point < 0 ? end : point
  const decimals = point < 0 ? 0 : end - point - 1
  if (wholeEnd === start || (point >= 0 && decimals === 0)) return false
  const scale = Math.max(0, decimals - exponent)
  if (scale > MAX_SCALE) return false
  if (firstDigit < 0) {
    out.reserve(4 + HEADER_BYTES)
    putHeader(out, 0, 0, POSITIVE, scale)
    return true
  }

  // The power of ten of the digit at a place of the text; places past the point are one further along.
  const power = (place: number): number => wholeEnd + exponent - place - (place > wholeEnd ? 0 : 1)
  const highest = power(firstDigit)
  const weight = Math.floor(highest / 4)
  if (weight > MAX_WEIGHT || weight < -MAX_WEIGHT) return false
  const count = weight - Math.floor(power(lastDigit) / 4) + 1
  out.reserve(4 + HEADER_BYTES + count * 2)
  putHeader(out, count, weight, start === 1 ? NEGATIVE : POSITIVE, scale)
  const { view } = out
  let at = out.length
  let digit = 0
  let missing = highest - weight * 4 + 1 // decimal digits that the current base-10000 digit still lacks
  for (let place = firstDigit; place <= lastDigit; place++) {
    if (place === point) continue
    digit = digit * 10 + text.charCodeAt(place) - 0x30
    if (--missing === 0) {
      view.setInt16(at, digit)
      at += 2
      digit = 0
      missing = 4
    }
  }
  if (missing < 4) {
    while (missing-- > 0) digit *= 10
    view.setInt16(at, digit)
    at += 2
  }
  out.length = at
  return true
}

const EXPONENT = /^[eE][-+]?\d{1,6}$/

function putNamed(out: ByteBuffer, text: string): boolean {
  switch (text) {
    case 'NaN':
      return putSpecial(out, NAN)
    case 'Infinity':
      return putSpecial(out, INFINITY)
    case '-Infinity':
      return putSpecial(out, MINUS_INFINITY)
    default:
      return false
  }
}
