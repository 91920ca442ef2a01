/** Writes timestamps, as put-stored.ts does in JavaScript. */

import { DAY_MICROS, EPOCH_MICROS, JULIAN_EPOCH } from '../../../../columnar/calendar'
import { putInt64Field } from '../../../wasm/assembly/fields'

/** JavaScript's doubles are exact up to this distance from 1970. */
const MAX_MICROS: i64 = 9_007_199_254_740_991 - EPOCH_MICROS

/** Writes a count of milliseconds (unit 0), microseconds (1) or nanoseconds (2) since 1970. */
export function putCount(unit: i32, count: i64, out: usize): usize {
  if (unit === 1) return putMicros(count, out)
  if (unit === 2) return count % 1000 === 0 ? putMicros(count / 1000, out) : 0
  const isNear = count <= MAX_MICROS / 1000 && count >= -MAX_MICROS / 1000
  return isNear ? putMicros(count * 1000, out) : 0
}

/** More than `MAX_MICROS`. */
const MAX_DAYS: i64 = 100_000

/** Writes nanoseconds of a day in 64 bits, and the number of the Julian day. */
export function putInt96(at: usize, out: usize): usize {
  const nanos = load<u64>(at)
  const days = (load<i32>(at, 8) as i64) - JULIAN_EPOCH
  if (nanos >= ((DAY_MICROS * 1000) as u64) || nanos % 1000 !== 0) return 0
  if (days > MAX_DAYS || days < -MAX_DAYS) return 0
  return putMicros(days * DAY_MICROS + ((nanos / 1000) as i64), out)
}

function putMicros(micros: i64, out: usize): usize {
  return micros > MAX_MICROS || micros < -MAX_MICROS ? 0 : putInt64Field(out, micros - EPOCH_MICROS)
}
