/** Writes decimals, which are stored as integers. */

import { putShortNumeric } from '../../../wasm/assembly/numbers'

/** Integers up to this one are exact in JavaScript, which writes the others. */
const MAX_UNSCALED: i64 = 1_000_000_000_000_000

const POWERS: StaticArray<u32> = [1, 10, 100, 1000, 10_000]

/** Writes an integer divided by a power of ten: 1250 with two decimals is 12.50. There are up to four. */
export function putDecimal(unscaled: i64, decimals: i32, out: usize): usize {
  if (unscaled >= MAX_UNSCALED || unscaled <= -MAX_UNSCALED) return 0
  const magnitude = abs(unscaled) as u64
  const power = unchecked(POWERS[decimals])
  const whole = magnitude / power
  const fraction = ((magnitude - whole * power) as u32) * unchecked(POWERS[4 - decimals])
  return putShortNumeric(out, unscaled < 0, whole, fraction, decimals)
}

/** Reads big-endian bytes in two's complement; returns `MAX_UNSCALED` for any that is not below it. */
export function readUnscaled(at: usize, end: usize): i64 {
  if (at === end) return 0
  let value: i64 = load<i8>(at)
  for (at++; at < end; at++) {
    value = (value << 8) | load<u8>(at)
    if (value >= MAX_UNSCALED || value <= -MAX_UNSCALED) return MAX_UNSCALED
  }
  return value
}
