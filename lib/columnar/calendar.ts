/**
 * Where calendars begin to count. TypeScript and AssemblyScript both compile this file, so it holds numbers
 * only.
 */

/** Days from 1970 to 2000, where PostgreSQL's calendar begins. */
export const EPOCH_DAYS = 10_957
/** The same in microseconds. */
export const EPOCH_MICROS = 946_684_800_000_000
export const DAY_MICROS = 86_400_000_000

/** The Julian day of 1970-01-01. */
export const JULIAN_EPOCH = 2_440_588

/** Dates from 0001-01-01 to 9999-12-31: the years that the text of a date has four digits for. */
export const FIRST_DAY = -719_162
export const LAST_DAY = 2_932_896
