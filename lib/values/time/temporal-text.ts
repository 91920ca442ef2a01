/**
 * Counts of days and of fractions of a second, as texts of ISO 8601. They are exact. The calendar is the
 * proleptic Gregorian one, which PostgreSQL, Parquet and Kafka Connect use. Years before 1 have ` BC`, as in
 * PostgreSQL.
 */

import { dateWords, two } from './calendar.ts'

/** The number of decimals of a unit: milliseconds, microseconds or nanoseconds. */
export type SecondDigits = 3 | 6 | 9

/**
 * How many decimals of a second a text shows. `shortest`: as many as are needed. `six`: the six that
 * PostgreSQL keeps, or nine if the last three are not zero.
 */
export type Decimals = 'shortest' | 'six'

export interface TimestampStyle {
  readonly separator: ' ' | 'T'
  /** `Z` for UTC; empty for a timestamp without a time zone. */
  readonly zone: '' | 'Z'
  readonly decimals: Decimals
}

const UNITS = { 3: 1000n, 6: 1_000_000n, 9: 1_000_000_000n } as const

const DAY_SECONDS = 86_400

/** Returns a date, such as `2026-01-05` or `0044-03-15 BC`. @param days since 1970-01-01 */
export function dateText(days: number | bigint): string {
  const { date, era } = dateWords(Number(days))
  return date + era
}

/**
 * Returns a time of day, or a span of time, whose hours may be many and whose sign may be a minus.
 * @param count since midnight, in the unit that `digits` names
 */
export function timeText(count: bigint, digits: SecondDigits, decimals: Decimals): string {
  const sign = count < 0n ? '-' : ''
  const absolute = count < 0n ? -count : count
  const unit = UNITS[digits]
  return sign + clockText(Number(absolute / unit), absolute % unit, digits, decimals)
}

/** Returns a timestamp. @param count since 1970-01-01 00:00:00, in the unit that `digits` names */
export function timestampText(
  count: bigint,
  digits: SecondDigits,
  { separator, zone, decimals }: TimestampStyle,
): string {
  const unit = UNITS[digits]
  let seconds = Number(count / unit) // exact up to years that no type of PostgreSQL holds
  let fraction = count % unit
  if (fraction < 0n) {
    fraction += unit
    seconds -= 1
  }
  const days = Math.floor(seconds / DAY_SECONDS)
  const { date, era } = dateWords(days)
  const clock = clockText(seconds - days * DAY_SECONDS, fraction, digits, decimals)
  return `${date}${separator}${clock}${zone}${era}`
}

function clockText(seconds: number, fraction: bigint, digits: SecondDigits, decimals: Decimals): string {
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const shown = fractionText(fraction, digits, decimals)
  return `${two(hours)}:${two(minutes)}:${two(seconds % 60)}${shown && `.${shown}`}`
}

function fractionText(fraction: bigint, digits: SecondDigits, decimals: Decimals): string {
  const text = String(fraction).padStart(digits, '0')
  if (decimals === 'shortest') return text.replace(/0+$/, '')
  const six = text.padEnd(6, '0')
  return six.endsWith('000') ? six.slice(0, 6) : six
}
