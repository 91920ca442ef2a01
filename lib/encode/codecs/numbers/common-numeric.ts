import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { NOT_COMMON, type PutCommon } from '../codec.ts'
import { HEADER_BYTES, NEGATIVE, POSITIVE } from './numeric-decimal.ts'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

/** Eight digits fit into 32 bits, where V8 computes without doubles. `numeric` reads numbers of 15 digits. */
const MAX_DIGITS = 8
const MAX_DECIMALS = 4

/**
 * Writes numbers of up to eight digits and four decimals, which most amounts are: three base-10000 digits at
 * most.
 */
export const commonNumeric: PutCommon = (out, at, value) => {
  if (typeof value === 'string') return putText(out, at, value)
  return typeof value === 'number' ? putNumber(out, at, value) : NOT_COMMON
}

/** Writes `-?\d{1,8}(\.\d{1,4})?`. */
function putText(out: ByteBuffer, at: number, text: string): number {
  const { length } = text
  const start = length > 0 && text.charCodeAt(0) === MINUS ? 1 : 0
  let whole = 0
  let i = start
  for (; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) break
    if (i - start === MAX_DIGITS) return NOT_COMMON
    whole = (whole * 10 + digit) | 0
  }
  if (i === start) return NOT_COMMON
  if (i === length) return putDigits(out, at, start === 1, whole, 0, 0)
  const scale = length - i - 1
  if (text.charCodeAt(i) !== POINT || scale < 1 || scale > MAX_DECIMALS) return NOT_COMMON
  let fraction = 0
  for (i++; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return NOT_COMMON
    fraction = (fraction * 10 + digit) | 0
  }
  for (let place = scale; place < MAX_DECIMALS; place++) fraction = (fraction * 10) | 0
  return putDigits(out, at, start === 1, whole, fraction, scale)
}

/** If k / 10000 is the number and k has at most 15 digits, it is the only such decimal, see `numeric`. */
function putNumber(out: ByteBuffer, at: number, value: number): number {
  const shifted = Math.round(Math.abs(value) * 10_000)
  if (!(shifted < 1e12) || shifted / 10_000 !== Math.abs(value)) return NOT_COMMON
  const whole = Math.floor(shifted / 10_000)
  const fraction = shifted - whole * 10_000
  const scale = fraction === 0 ? 0 : fraction % 10 ? 4 : fraction % 100 ? 3 : fraction % 1000 ? 2 : 1
  return putDigits(out, at, value < 0, whole, fraction, scale)
}

/** @param fraction in ten-thousandths */
function putDigits(
  { view }: ByteBuffer,
  at: number,
  isNegative: boolean,
  whole: number,
  fraction: number,
  scale: number,
): number {
  const high = (whole / 10_000) | 0
  const weight = high > 0 ? 1 : whole > 0 ? 0 : -1
  const count = weight + (fraction > 0 ? 2 : 1)
  view.setInt32(at, HEADER_BYTES - 4 + count * 2)
  view.setInt16(at + 4, count)
  view.setInt16(at + 6, weight)
  view.setInt16(at + 8, isNegative && count > 0 ? NEGATIVE : POSITIVE)
  view.setInt16(at + 10, scale)
  let end = at + HEADER_BYTES
  if (weight === 1) {
    view.setInt16(end, high)
    end += 2
  }
  if (weight >= 0) {
    view.setInt16(end, whole - high * 10_000)
    end += 2
  }
  if (fraction > 0) {
    view.setInt16(end, fraction)
    end += 2
  }
  return end
}
