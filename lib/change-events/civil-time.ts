/** Counts of days and of fractions of a second, as PostgreSQL's text forms of dates and times: exact, without a zone. */

import { dateWords } from '../values/calendar.ts'

/** How many of a unit make a second. */
const PER_SECOND = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const

export type TimeUnit = keyof typeof PER_SECOND

const SECONDS_PER_DAY = 86_400n

/** Days since 1970-01-01 as a date; `0044-03-15 BC` where that is long ago. */
export function dateText(days: bigint): string {
  const { date, era } = dateWords(Number(days)) // 64 bits of milliseconds are fewer days than 2^53
  return date + era
}

/** Time since midnight, or a span of time: hours may be many, and the whole negative. */
export function timeText(count: bigint, unit: TimeUnit): string {
  const sign = count < 0n ? '-' : ''
  const absolute = count < 0n ? -count : count
  const seconds = absolute / PER_SECOND[unit]
  const fraction = String(absolute % PER_SECOND[unit]).padStart(String(PER_SECOND[unit]).length - 1, '0')
  const decimals = fraction.replace(/0+$/, '')
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map(part =>
    String(part).padStart(2, '0'),
  )
  return `${sign}${parts.join(':')}${decimals && `.${decimals}`}`
}

/** Time since 1970-01-01 00:00:00. */
export function timestampText(count: bigint, unit: TimeUnit): string {
  const perDay = SECONDS_PER_DAY * PER_SECOND[unit]
  const timeOfDay = ((count % perDay) + perDay) % perDay
  const [date, era] = dateText((count - timeOfDay) / perDay).split(' ')
  return [date, timeText(timeOfDay, unit), ...(era ? [era] : [])].join(' ')
}
