/** Milliseconds from 1970 to PostgreSQL's epoch, 2000-01-01. */
export const EPOCH_MS = 946_684_800_000

/** The first moment that PostgreSQL knows: 4714-11-24 BC. */
export const FIRST_MS = -210_866_803_200_000

/** From 1973 on every zone's offset is whole minutes (the last was Liberia's, until January 1972). */
const WHOLE_MINUTES_MS = 94_694_400_000

/**
 * What the local clock shows, as milliseconds since 2000-01-01 of a clock without zones, which is what `pg`
 * sends of a Date for types without one. NaN for an invalid date, one before PostgreSQL's calendar, and
 * for subclasses, which may have a clock of their own (as those of date-fns).
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

/** A Date of another realm inherits from another `Date.prototype`, but by as many steps as ours. */
function isPlainDate(date: Date): boolean {
  const prototype = Object.getPrototypeOf(date)
  if (prototype === Date.prototype) return true
  const base = Object.getPrototypeOf(prototype)
  return base !== null && Object.getPrototypeOf(base) === null
}
