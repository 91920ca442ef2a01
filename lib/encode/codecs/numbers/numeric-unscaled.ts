import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { HEADER_BYTES, MAX_SCALE, NEGATIVE, POSITIVE, putHeader } from './numeric-decimal.ts'
import type { WideInteger } from './wide-integer.ts'

/** The digits of the integer that is encoded at present, in base 10000, the lowest first. */
const digits: number[] = []

/**
 * Appends an integer divided by a power of ten, with the same bytes that the decimal's text becomes. The
 * integer is zero afterwards.
 * @param decimals from 0 on
 * @returns false, and appends nothing, for more decimals than a numeric has
 */
export function putWideUnscaled(out: ByteBuffer, unscaled: WideInteger, decimals: number): boolean {
  if (decimals > MAX_SCALE) return false
  readDigits(unscaled, decimals)
  const highest = digits.length - 1
  if (highest < 0) {
    out.reserve(HEADER_BYTES)
    putHeader(out, 0, 0, POSITIVE, decimals)
    return true
  }
  const ofFraction = Math.ceil(decimals / 4)
  const lowest = lowestDigit(decimals, ofFraction)
  const count = highest - lowest + 1
  out.reserve(HEADER_BYTES + count * 2)
  putHeader(out, count, highest - ofFraction, unscaled.isNegative ? NEGATIVE : POSITIVE, decimals)
  const { view } = out
  for (let digit = highest; digit >= lowest; digit--) {
    view.setInt16(out.length, digits[digit]!)
    out.length += 2
  }
  return true
}

/**
 * Reads the digits of base 10000, the lowest first. None of them crosses the point: if the number of decimals
 * is no multiple of four, the lowest digit is padded with zeros.
 */
function readDigits(unscaled: WideInteger, decimals: number): void {
  digits.length = 0
  const partial = decimals % 4
  if (partial > 0) digits.push(unscaled.divide(10 ** partial) * 10 ** (4 - partial))
  while (!unscaled.isZero) {
    const pair = unscaled.divide(100_000_000)
    const high = Math.floor(pair / 10_000)
    digits.push(pair - high * 10_000, high)
  }
  while (digits.at(-1) === 0) digits.pop()
}

/** Returns the lowest digit that is written. Short decimals keep the zeros before the point. */
function lowestDigit(decimals: number, ofFraction: number): number {
  const whole = digits.length - ofFraction
  if (decimals <= 4 && (whole < 4 || (whole === 4 && digits.at(-1)! < 1000))) {
    return ofFraction === 1 && digits[0] === 0 ? 1 : 0
  }
  return digits.findIndex(digit => digit !== 0)
}
