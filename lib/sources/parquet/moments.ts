/**
 * Parquet counts days and fractions of a second from 1970; these are the ISO 8601 texts, in the proleptic Gregorian
 * calendar that both Parquet and PostgreSQL keep. Years before 1 are written as PostgreSQL writes them, with BC.
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#temporal-types
 */

import { dateWords, two } from '../../values/calendar.ts'

/** How many digits of a second's fraction a unit stands for. */
export type SecondDigits = 3 | 6 | 9

const DAY_SECONDS = 86_400

export function dateText(days: number): string {
  const { date, era } = dateWords(days)
  return date + era
}

/** @param zone `Z`, or nothing for a time that has none */
export function timestampText(value: bigint, digits: SecondDigits, zone: '' | 'Z'): string {
  const unit = UNITS[digits]
  let seconds = value / unit
  let fraction = value % unit
  if (fraction < 0n) {
    fraction += unit
    seconds -= 1n
  }
  const whole = Number(seconds) // at most 64 bits of milliseconds: fewer than 2^53
  const days = Math.floor(whole / DAY_SECONDS)
  const { date, era } = dateWords(days)
  return `${date}T${clock(whole - days * DAY_SECONDS, fraction, digits)}${zone}${era}`
}

/** Past midnight. */
export function timeText(value: bigint, digits: SecondDigits): string {
  const unit = UNITS[digits]
  return clock(Number(value / unit), value % unit, digits)
}

/** Twelve bytes: months, days and milliseconds. */
export function intervalText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [months, days, ms] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)]
  return `${months} mons ${days} days ${clock(Math.floor(ms / 1000), BigInt(ms % 1000), 3)}`
}

const UNITS = { 3: 1000n, 6: 1_000_000n, 9: 1_000_000_000n } as const

/** Six decimals, as many as PostgreSQL keeps; nine only where the last three say something. */
function clock(seconds: number, fraction: bigint, digits: SecondDigits): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const decimals = String(fraction).padStart(digits, '0').padEnd(6, '0')
  const shown = decimals.endsWith('000') ? decimals.slice(0, 6) : decimals
  return `${two(hours)}:${two(minutes)}:${two(seconds % 60)}.${shown}`
}
