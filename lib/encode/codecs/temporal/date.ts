import { types } from 'node:util'
import type { FieldCodec, PutField } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { scanString } from '../text/scan-string.ts'
import { IsoReader } from './iso-8601.ts'
import { localClock } from './local-clock.ts'
import { scanDate } from './scan-timestamps.ts'

const binary: PutField = (out, value) => {
  const days = toDays(value)
  if (Number.isNaN(days)) return false
  out.reserve(8)
  out.view.setInt32(out.length, 4)
  out.view.setInt32(out.length + 4, days)
  out.length += 8
  return true
}

const iso = new IsoReader()

/** 4714-11-24 BC, the first day of PostgreSQL's calendar. */
const FIRST_DAY = -2_451_545

function toDays(value: unknown): number {
  if (types.isDate(value)) return Math.floor(localClock(value) / 86_400_000)
  if (typeof value !== 'string') return Number.NaN
  // a time and an offset are dropped, as date_in does
  if (iso.readDate(value)) return iso.days >= FIRST_DAY ? iso.days : Number.NaN
  if (value === 'infinity') return 0x7fffffff
  if (value === '-infinity') return -0x80000000
  return Number.NaN
}

/**
 * Days since 2000-01-01. A Date's day is the one that the local calendar shows, as with `pg`.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/date.c (date_recv)
 */
export const date: FieldCodec = {
  text: prepareValue,
  binary,
  scan: scanDate(scanString(binary)),
  wasm: 'date',
}
