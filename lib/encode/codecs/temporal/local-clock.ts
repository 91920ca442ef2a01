/** Milliseconds from 1970 to PostgreSQL's epoch, 2000-01-01. */
export const EPOCH_MS = 946_684_800_000

/** The start of PostgreSQL's calendar: 4714-11-24 BC. */
export const FIRST_MS = -210_866_803_200_000

/**
 * From 1973 on the offset of every time zone is in whole minutes (Liberia's was the last, until January
 * 1972).
 */
const WHOLE_MINUTES_MS = 94_694_400_000

/**
 * Returns the local time of a Date in milliseconds since 2000-01-01 without a time zone: `pg` sends it for
 * types without a time zone. Returns NaN for an invalid date, for one before PostgreSQL's calendar, and for
 * subclasses, which may have another local time (as those of date-fns).
 */
export function localClock(date: Date): number {
  const time = date.getTime()
  if (!(time >= FIRST_MS) || !isPlainDate(date)) return Number.NaN
  if (time >= WHOLE_MINUTES_MS) return time - date.getTimezoneOffset() * 60_000 - EPOCH_MS
  const clock = new Date(0)
  clock.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate())
  clock.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds())
  return clock.getTime() >= FIRST_MS ? clock.getTime() - EPOCH_MS : Number.NaN
}

/** Returns true for a Date, also one of another realm: its prototype chain has the same length as ours. */
function isPlainDate(date: Date): boolean {
  const prototype = Object.getPrototypeOf(date)
  if (prototype === Date.prototype) return true
  const base = Object.getPrototypeOf(prototype)
  return base !== null && Object.getPrototypeOf(base) === null
}
