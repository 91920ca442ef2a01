/**
 * A day of the proleptic Gregorian calendar, which PostgreSQL, Parquet and Kafka Connect use, as PostgreSQL
 * writes it.
 */
export interface DateWords {
  /** `2026-01-05`; the year has four digits or more. */
  readonly date: string
  /** ` BC` for years before 1. The year 0 is 1 BC. */
  readonly era: '' | ' BC'
}

/** Returns a day's date. Years may have any length; a Date ends in 275760. @param days since 1970-01-01 */
export function dateWords(days: number): DateWords {
  const { year, month, day } = civilFromDays(days)
  const shown = String(year < 1 ? 1 - year : year).padStart(4, '0')
  return { date: `${shown}-${two(month)}-${two(day)}`, era: year < 1 ? ' BC' : '' }
}

/** Returns a number in two digits, or in more if it has more. */
export function two(n: number): string {
  return n < 10 ? `0${n}` : String(n)
}

/**
 * Counts in eras of 400 years that start in March, so that the leap day is the last day of a year.
 * @see https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}
