import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/**
 * The binary form of numeric: four int16 (count of base-10000 digits, weight of the first, sign, decimals to
 * show), then the digits. They may have leading and trailing zeros, which the server strips.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c (numeric_recv,
 *   set_var_from_str)
 */
export const POSITIVE = 0
export const NEGATIVE = 0x4000
const NAN = 0xc000
const INFINITY = 0xd000
const MINUS_INFINITY = 0xf000

export const MAX_SCALE = 0x3fff
const MAX_WEIGHT = 0x7fff

/** The length of the field and the four int16. */
export const HEADER_BYTES = 12

/** Appends the length of the field and the four int16; the caller has reserved the room. */
export function putHeader(out: ByteBuffer, count: number, weight: number, sign: number, scale: number): void {
  const { view, length } = out
  view.setInt32(length, HEADER_BYTES - 4 + count * 2)
  view.setInt16(length + 4, count)
  view.setInt16(length + 6, weight)
  view.setInt16(length + 8, sign)
  view.setInt16(length + 10, scale)
  out.length = length + HEADER_BYTES
}

function putSpecial(out: ByteBuffer, sign: number): boolean {
  out.reserve(HEADER_BYTES)
  putHeader(out, 0, 0, sign, 0)
  return true
}

/**
 * Appends `-?\d+(\.\d+)?([eE][-+]?\d{1,6})?`, or a special value by its name; returns false for anything
 * else.
 */
export function putDecimal(out: ByteBuffer, text: string): boolean {
  const { length } = text
  const start = length > 0 && text.charCodeAt(0) === 0x2d ? 1 : 0
  let point = -1
  let firstDigit = -1 // indexes of the first and last digit that are not 0
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
    out.reserve(HEADER_BYTES)
    putHeader(out, 0, 0, POSITIVE, scale)
    return true
  }

  // the power of ten of the digit at an index of the text; the point itself takes one index
  const power = (place: number): number => wholeEnd + exponent - place - (place > wholeEnd ? 0 : 1)
  const highest = power(firstDigit)
  const weight = Math.floor(highest / 4)
  if (weight > MAX_WEIGHT || weight < -MAX_WEIGHT) return false
  const count = weight - Math.floor(power(lastDigit) / 4) + 1
  out.reserve(HEADER_BYTES + count * 2)
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
