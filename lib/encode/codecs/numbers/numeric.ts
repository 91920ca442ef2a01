import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec, PutField, ScanField } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { scanString } from '../text/scan-string.ts'
import { commonNumeric } from './common-numeric.ts'
import { HEADER_BYTES, NEGATIVE, POSITIVE, putDecimal, putHeader } from './numeric-decimal.ts'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

const binary: PutField = (out, value) => {
  if (typeof value === 'string') return putShortText(out, value) || putDecimal(out, value)
  if (typeof value === 'number') return putNumber(out, value)
  return typeof value === 'bigint' && putDecimal(out, value.toString())
}

/**
 * Most numbers are decimals of few digits. If k / 10000 is the number and k has at most 15 digits, it is the
 * only such decimal, and so the same as String(number): no text is needed.
 */
function putNumber(out: ByteBuffer, value: number): boolean {
  const shifted = Math.round(value * 10_000)
  if (!(shifted < 1e15 && shifted > -1e15) || shifted / 10_000 !== value)
    return putDecimal(out, String(value))
  const magnitude = Math.abs(shifted)
  const fraction = magnitude % 10_000
  const scale = fraction === 0 ? 0 : fraction % 10 ? 4 : fraction % 100 ? 3 : fraction % 1000 ? 2 : 1
  putShort(out, value < 0, (magnitude - fraction) / 10_000, fraction, scale)
  return true
}

/**
 * Appends an integer divided by a power of ten, as decimals are stored in files: 1250 with two decimals is
 * 12.50.
 * @param unscaled an integer of up to 15 digits
 * @param decimals up to four
 */
export function putUnscaled(out: ByteBuffer, unscaled: number, decimals: number): void {
  const magnitude = Math.abs(unscaled)
  const power = 10 ** decimals
  const whole = Math.floor(magnitude / power)
  putShort(out, unscaled < 0, whole, (magnitude - whole * power) * (10_000 / power), decimals)
}

const MAX_DIGITS = 15
const MAX_DECIMALS = 4

/** Appends `-?\d{1,15}(\.\d{1,4})?`; returns false, and appends nothing, for anything else. */
function putShortText(out: ByteBuffer, text: string): boolean {
  const { length } = text
  const start = length > 0 && text.charCodeAt(0) === MINUS ? 1 : 0
  let whole = 0
  let i = start
  for (; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) break
    whole = whole * 10 + digit
  }
  if (i === start || i - start > MAX_DIGITS) return false
  let fraction = 0
  let scale = 0
  if (i < length) {
    scale = length - i - 1
    if (text.charCodeAt(i) !== POINT || scale < 1 || scale > MAX_DECIMALS) return false
    for (i++; i < length; i++) {
      const digit = text.charCodeAt(i) - ZERO
      if (digit < 0 || digit > 9) return false
      fraction = fraction * 10 + digit
    }
    for (let place = scale; place < MAX_DECIMALS; place++) fraction *= 10
  }
  putShort(out, start === 1, whole, fraction, scale)
  return true
}

/**
 * Appends a whole number of up to 16 digits and a fraction in ten-thousandths, the latter one base-10000
 * digit.
 */
function putShort(
  out: ByteBuffer,
  isNegative: boolean,
  whole: number,
  fraction: number,
  scale: number,
): void {
  const high = Math.floor(whole / 100_000_000)
  const low = whole - high * 100_000_000
  const weight = high > 9999 ? 3 : high > 0 ? 2 : low > 9999 ? 1 : low > 0 ? 0 : -1
  const count = weight + (fraction > 0 ? 2 : 1)
  out.reserve(HEADER_BYTES + 10)
  putHeader(out, count, weight, isNegative && count > 0 ? NEGATIVE : POSITIVE, scale)
  const { view } = out
  let at = out.length
  if (weight >= 2) {
    if (weight === 3) {
      view.setInt16(at, Math.floor(high / 10_000))
      at += 2
    }
    view.setInt16(at, high % 10_000)
    at += 2
  }
  if (weight >= 1) {
    view.setInt16(at, Math.floor(low / 10_000))
    at += 2
  }
  if (weight >= 0) {
    view.setInt16(at, low % 10_000)
    at += 2
  }
  if (fraction > 0) {
    view.setInt16(at, fraction)
    at += 2
  }
  out.length = at
}

const slow = scanString(binary)

/** Reads `-?\d{1,15}(\.\d{1,4})?`; all else is for `slow`. */
const scan: ScanField = (out, bytes, at, end, delimiter) => {
  const negative = at < end && bytes[at] === MINUS
  const first = negative ? at + 1 : at
  let whole = 0
  let stop = first
  for (; stop < end; stop++) {
    const digit = bytes[stop]! - ZERO
    if (digit < 0 || digit > 9) break
    whole = whole * 10 + digit
  }
  if (stop === first || stop - first > MAX_DIGITS) return slow(out, bytes, at, end, delimiter)
  let fraction = 0
  let scale = 0
  if (stop < end && bytes[stop] !== delimiter) {
    if (bytes[stop] !== POINT) return slow(out, bytes, at, end, delimiter)
    const point = stop++
    for (; stop < end; stop++) {
      const byte = bytes[stop]!
      if (byte === delimiter) break
      const digit = byte - ZERO
      if (digit < 0 || digit > 9) return slow(out, bytes, at, end, delimiter)
      fraction = fraction * 10 + digit
    }
    scale = stop - point - 1
    if (scale < 1 || scale > MAX_DECIMALS) return slow(out, bytes, at, end, delimiter)
    for (let place = scale; place < MAX_DECIMALS; place++) fraction *= 10
  }
  putShort(out, negative, whole, fraction, scale)
  return stop
}

/**
 * numeric: exact for decimals of any length. The server's numeric_recv applies the column's precision and
 * scale as the cast of a parameter does. Short decimals, which are nearly all, take a path of plain
 * arithmetic.
 */
export const numeric: FieldCodec = {
  text: prepareValue,
  binary,
  common: commonNumeric,
  scan,
  wasm: 'numeric',
}
