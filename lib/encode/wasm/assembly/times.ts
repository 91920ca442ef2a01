/** Reads dates and times as programs write them. Each function returns 0 for all else, as in numbers.ts. */

import { COLON, DASH, PLUS, POINT, SPACE, UPPER_T, UPPER_Z, ZERO } from '../../../values/text/ascii'
import { putInt32Field, putInt64Field } from './fields'

const DATE_BYTES: usize = 10
/** `YYYY-MM-DD[T ]HH:MM:SS` */
const SECONDS_BYTES: usize = 19

/** Not a date, a time or an offset. */
const NONE = i32.MIN_VALUE

/** Reads `YYYY-MM-DD`. */
export function putDate(at: usize, end: usize, out: usize): usize {
  if (end - at !== DATE_BYTES) return 0
  const days = readDate(at)
  return days === NONE ? 0 : putInt32Field(out, days)
}

/** Reads `YYYY-MM-DD[T ]HH:MM:SS[.f{1,6}]`, and after it `Z` or `±HH[:MM]` if `hasOffset`. */
export function putTimestamp(at: usize, end: usize, out: usize, hasOffset: bool): usize {
  if (end - at < SECONDS_BYTES) return 0
  const between = load<u8>(at + 10)
  if (between !== UPPER_T && between !== SPACE) return 0
  if (load<u8>(at + 13) !== COLON || load<u8>(at + 16) !== COLON) return 0
  const days = readDate(at)
  const hour = twoDigits(at + 11)
  const minute = twoDigits(at + 14)
  const second = twoDigits(at + 17)
  if (days === NONE || hour > 23 || minute > 59 || second > 59) return 0
  let micros: i64 = (days as i64) * 86400 + (hour * 3600 + minute * 60 + second)
  at += SECONDS_BYTES

  let fraction: i32 = 0
  if (at < end && load<u8>(at) === POINT) {
    const first = ++at
    let unit: i32 = 100_000
    for (; at < end && unit > 0; at++, unit /= 10) {
      const digit: u32 = (load<u8>(at) as u32) - ZERO
      if (digit > 9) break
      fraction += digit * unit
    }
    if (at === first) return 0
  }
  if (hasOffset) {
    const offset = readOffset(at, end)
    if (offset === NONE) return 0
    micros -= offset
  } else if (at !== end) return 0
  return putInt64Field(out, micros * 1_000_000 + fraction)
}

/** Returns the days since 2000-01-01 of `YYYY-MM-DD`. */
function readDate(at: usize): i32 {
  if (load<u8>(at + 4) !== DASH || load<u8>(at + 7) !== DASH) return NONE
  const century = twoDigits(at)
  const yearOfCentury = twoDigits(at + 2)
  const month = twoDigits(at + 5)
  const day = twoDigits(at + 8)
  if (century > 99 || yearOfCentury > 99) return NONE
  const year = century * 100 + yearOfCentury
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return NONE
  if (day > 28 && day > daysInMonth(year, month)) return NONE
  return daysSince2000(year, month, day)
}

function daysInMonth(year: u32, month: u32): u32 {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** @see https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
function daysSince2000(year: i32, month: i32, day: i32): i32 {
  const shiftedYear = month <= 2 ? year - 1 : year // a year that begins in March ends with the leap day
  const era = shiftedYear / 400
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 730_425
}

/** Returns seconds east of Greenwich for `Z`, `±HH` or `±HH:MM`, up to `end`. */
function readOffset(at: usize, end: usize): i32 {
  const length = end - at
  const sign = load<u8>(at)
  if (length === 1) return sign === UPPER_Z ? 0 : NONE
  if ((length !== 3 && length !== 6) || (sign !== PLUS && sign !== DASH)) return NONE
  const hour = twoDigits(at + 1)
  if (length === 6 && load<u8>(at + 3) !== COLON) return NONE
  const minute = length === 3 ? 0 : twoDigits(at + 4)
  if (hour > 15 || minute > 59) return NONE
  const seconds = (hour * 3600 + minute * 60) as i32
  return sign === DASH ? -seconds : seconds
}

/** Returns the number that two digits write; 100 or more for other characters. */
function twoDigits(at: usize): u32 {
  const tens: u32 = (load<u8>(at) as u32) - ZERO
  const ones: u32 = (load<u8>(at + 1) as u32) - ZERO
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 1000
}
