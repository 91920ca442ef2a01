/** Counts of days and of fractions of a second, as PostgreSQL's text forms of dates and times: exact, without a zone. */

/** How many of a unit make a second. */
const PER_SECOND = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const

export type TimeUnit = keyof typeof PER_SECOND

const SECONDS_PER_DAY = 86_400n

/** Days since 1970-01-01 as a date; `0044-03-15 BC` where that is long ago. */
export function dateText(days: bigint): string {
  const { year, monthAndDay } = civilFromDays(days)
  return year > 0n ? `${fourDigits(year)}-${monthAndDay}` : `${fourDigits(1n - year)}-${monthAndDay} BC`
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

/**
 * The Gregorian date of a day, counted in eras of 400 years that begin in March, so that the leap day is a year's last.
 * @see https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 */
function civilFromDays(days: bigint): { year: bigint; monthAndDay: string } {
  const shifted = days + 719_468n
  const dayOfEra = ((shifted % 146_097n) + 146_097n) % 146_097n
  const era = (shifted - dayOfEra) / 146_097n
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n)
  const marchMonth = (5n * dayOfYear + 2n) / 153n
  const day = dayOfYear - (153n * marchMonth + 2n) / 5n + 1n
  const month = marchMonth < 10n ? marchMonth + 3n : marchMonth - 9n
  return {
    year: yearOfEra + era * 400n + (month <= 2n ? 1n : 0n),
    monthAndDay: [month, day].map(part => String(part).padStart(2, '0')).join('-'),
  }
}

function fourDigits(year: bigint): string {
  return String(year).padStart(4, '0')
}
