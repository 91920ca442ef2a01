/** Writes decimals, which are stored as integers. */

import { putShortNumeric } from '../../../wasm/assembly/numbers'
import { Column } from './column'
import { INT32_DECIMAL, INT64_DECIMAL } from './kinds'

/** Integers up to this one are exact in JavaScript, which writes the others. */
const MAX_UNSCALED: i64 = 1_000_000_000_000_000

const POWERS: StaticArray<u32> = [1, 10, 100, 1000, 10_000]

/** Writes the value with this index. Returns the address after the field; 0: JavaScript has to encode it. */
export function putDecimalOf(column: Column, index: i32, out: usize): usize {
  const values = column.values
  const decimals = column.detail
  switch (column.kind) {
    case INT32_DECIMAL:
      return putDecimal(load<i32>(values + (index << 2)), decimals, out)
    case INT64_DECIMAL:
      return putDecimal(load<i64>(values + (index << 3)), decimals, out)
    default:
      return putDecimal(readUnscaled(column.startOf(index), column.endOf(index)), decimals, out)
  }
}

/** Writes an integer divided by a power of ten: 1250 with two decimals is 12.50. There are up to four. */
function putDecimal(unscaled: i64, decimals: i32, out: usize): usize {
  if (unscaled >= MAX_UNSCALED || unscaled <= -MAX_UNSCALED) return 0
  const magnitude = abs(unscaled) as u64
  const power = unchecked(POWERS[decimals])
  const whole = magnitude / power
  const fraction = ((magnitude - whole * power) as u32) * unchecked(POWERS[4 - decimals])
  return putShortNumeric(out, unscaled < 0, whole, fraction, decimals)
}

/** Reads big-endian bytes in two's complement; returns `MAX_UNSCALED` for any that is not below it. */
function readUnscaled(at: usize, end: usize): i64 {
  if (at === end) return 0
  let value: i64 = load<i8>(at)
  for (at++; at < end; at++) {
    value = (value << 8) | load<u8>(at)
    if (value >= MAX_UNSCALED || value <= -MAX_UNSCALED) return MAX_UNSCALED
  }
  return value
}
