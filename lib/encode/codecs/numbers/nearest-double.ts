/**
 * From this value on the head has 15 digits and takes no more: every number of 15 digits is exact in a
 * double.
 */
export const HEAD_FULL = 1e14

/** The powers of ten that are exact in a double. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/**
 * Returns the double that is nearest to (head * 10^tailDigits + tail) / 10^decimals, as strtod reads it; NaN
 * where this arithmetic cannot decide. It decides for nearly all decimals of up to 21 digits.
 *
 * The dividend is exactly `product + rest`. The quotient is `quotient + correction`, with an error of less
 * than 2^-97, because `rest` is less than 2^-46 of the dividend. If an error of that size cannot change how
 * the sum is rounded, the sum is the nearest double.
 * @param head the first digits, below 10 * HEAD_FULL
 * @see Dekker, A floating-point technique for extending the available precision (1971)
 */
export function nearestDouble(head: number, tail: number, tailDigits: number, decimals: number): number {
  if (decimals >= POWERS.length || tailDigits > MAX_TAIL_DIGITS) return Number.NaN
  const divisor = POWERS[decimals]!
  // both exact: their quotient is rounded once (Clinger, How to read floating point numbers accurately, 1990)
  if (tailDigits === 0) return head / divisor

  const scale = POWERS[tailDigits]!
  const product = head * scale
  const rest = productError(head, scale, product) + tail
  const quotient = product / divisor
  const back = quotient * divisor
  const remainder = product - back - productError(quotient, divisor, back) + rest
  const correction = remainder / divisor
  const doubt = quotient * 2 ** -96
  const double = quotient + (correction - doubt)
  return double === quotient + (correction + doubt) ? double : Number.NaN
}

/**
 * With more digits, `rest` could need more bits than a double has, and the dividend would lose its last
 * digits.
 */
const MAX_TAIL_DIGITS = 6

/** Returns exactly what `a * b` has lost when it was rounded to `product`. */
function productError(a: number, b: number, product: number): number {
  const aHigh = highHalf(a)
  const aLow = a - aHigh
  const bHigh = highHalf(b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** Returns the upper 26 of a double's 53 bits. @see Veltkamp's splitting, in Dekker */
function highHalf(value: number): number {
  const wide = value * 134_217_729 // 2^27 + 1
  return wide - (wide - value)
}
