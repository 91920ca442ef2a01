/**
 * A strict reader of ISO 8601 dates and times, as PostgreSQL and toISOString write them. It refuses
 * everything else: blanks, 24:00, leap seconds, a seventh decimal, dates that do not exist.
 *
 *   date    YYYY-MM-DD
 *   time    HH:MM[:SS[.f{1,6}]]
 *   offset  Z | ±HH[:MM[:SS]]
 *
 * @see https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-INPUT
 */
export class IsoReader {
  /** Days since 2000-01-01, PostgreSQL's epoch. */
  days = 0
  seconds = 0
  micros = 0
  hasTime = false
  /** Seconds east of Greenwich; NaN without an offset. */
  offset = Number.NaN
  #at = 0

  /** `date [( |T) time [offset]] [ BC]` */
  readDate(text: string): boolean {
    this.#at = 0
    this.seconds = 0
    this.micros = 0
    this.hasTime = false
    this.offset = Number.NaN
    const { length } = text
    if (length < 10 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false
    const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
    const month = twoDigits(text, 5)
    const day = twoDigits(text, 8)
    if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return false
    this.#at = 10
    const next = length > 13 ? text.charCodeAt(10) : 0
    if ((next === SPACE && text.charCodeAt(11) !== LETTER_B) || next === LETTER_T) {
      this.#at = 11
      if (!this.#time(text)) return false
    }
    let astronomical = year
    if (this.#at < length) {
      if (length - this.#at !== 3 || !text.endsWith(' BC')) return false
      astronomical = 1 - year
    }
    if (day > 28 && day > daysInMonth(astronomical, month)) return false
    this.days = daysSince2000(astronomical, month, day)
    return true
  }

  /** `time [offset]` */
  readTime(text: string): boolean {
    this.#at = 0
    this.offset = Number.NaN
    return this.#time(text) && this.#at === text.length
  }

  #time(text: string): boolean {
    let at = this.#at
    const hour = twoDigits(text, at)
    const minute = twoDigits(text, at + 3)
    if (!(hour <= 23 && minute <= 59 && text.charCodeAt(at + 2) === COLON)) return false
    at += 5
    let second = 0
    let micros = 0
    if (text.charCodeAt(at) === COLON) {
      second = twoDigits(text, at + 1)
      if (!(second <= 59)) return false
      at += 3
      if (text.charCodeAt(at) === POINT) {
        let unit = 100_000
        let digit = text.charCodeAt(++at) - ZERO
        if (!(digit >= 0 && digit <= 9)) return false
        for (; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO) {
          if (unit < 1) return false
          micros += digit * unit
          unit /= 10
        }
      }
    }
    this.seconds = hour * 3600 + minute * 60 + second
    this.micros = micros
    this.hasTime = true
    this.#at = at
    return this.#offset(text)
  }

  /** @see DecodeTimezone in datetime.c for the limits */
  #offset(text: string): boolean {
    let at = this.#at
    const sign = text.charCodeAt(at)
    if (sign === LETTER_Z) {
      this.offset = 0
      this.#at = at + 1
      return true
    }
    if (sign !== PLUS && sign !== DASH) return true
    const hour = twoDigits(text, at + 1)
    let minute = 0
    let second = 0
    at += 3
    if (text.charCodeAt(at) === COLON) {
      minute = twoDigits(text, at + 1)
      at += 3
      if (text.charCodeAt(at) === COLON) {
        second = twoDigits(text, at + 1)
        at += 3
      }
    }
    if (!(hour <= 15 && minute <= 59 && second <= 59)) return false
    const distance = hour * 3600 + minute * 60 + second
    this.offset = sign === DASH ? -distance : distance
    this.#at = at
    return true
  }
}

const DASH = 0x2d
const PLUS = 0x2b
const COLON = 0x3a
const POINT = 0x2e
const SPACE = 0x20
const ZERO = 0x30
const LETTER_B = 0x42
const LETTER_T = 0x54
const LETTER_Z = 0x5a

/** Returns the number of two digits at an index of the text, or NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

export function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Counts days by the proleptic Gregorian calendar, as PostgreSQL's date2j does. Year 0 is 1 BC. */
export function daysSince2000(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year // a year that begins in March ends with the leap day
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 730_425
}
