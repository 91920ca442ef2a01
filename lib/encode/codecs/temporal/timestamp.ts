import { types } from 'node:util'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { type FieldCodec, NOT_COMMON, type PutCommon, type PutField } from '../codec.ts'
import { prepareInstant, prepareValue } from '../parameter.ts'
import { scanString } from '../text/scan-string.ts'
import { IsoReader } from './iso-8601.ts'
import { EPOCH_MS, FIRST_MS, localClock } from './local-clock.ts'
import { putMilliseconds, putMillisecondsAt, putSeconds } from './put-timestamp.ts'
import { scanTimestamp, scanTimestamptz } from './scan-timestamps.ts'

const putInstant: PutField = (out, value) => {
  if (types.isDate(value)) {
    const time = value.getTime()
    return time >= FIRST_MS && putMilliseconds(out, time - EPOCH_MS)
  }
  if (typeof value !== 'string') return false
  // without an offset the session's time zone decides, which only the server knows
  if (iso.readDate(value)) return iso.hasTime && !Number.isNaN(iso.offset) && putIso(out, iso.offset)
  return putInfinity(out, value)
}

const { getTime } = Date.prototype

const commonInstant: PutCommon = (out, at, value) => {
  if (!(value instanceof Date) || value.getTime !== getTime) return NOT_COMMON
  // throws for an object that only inherits from Date
  const time = getTime.call(value)
  return time >= FIRST_MS ? putMillisecondsAt(out, at, time - EPOCH_MS) : NOT_COMMON
}

const putLocal: PutField = (out, value) => {
  if (types.isDate(value)) {
    const clock = localClock(value)
    return !Number.isNaN(clock) && putMilliseconds(out, clock)
  }
  if (typeof value !== 'string') return false
  if (iso.readDate(value)) return putIso(out, 0) // timestamp_in reads an offset and drops it
  return putInfinity(out, value)
}

const iso = new IsoReader()

/** One day later than the calendar, so that no offset leads to a time before it. */
const FIRST_DAY = (FIRST_MS - EPOCH_MS) / 86_400_000 + 1

function putIso(out: ByteBuffer, offset: number): boolean {
  return iso.days >= FIRST_DAY && putSeconds(out, iso.days * 86_400 + iso.seconds - offset, iso.micros)
}

function putInfinity(out: ByteBuffer, text: string): boolean {
  if (text !== 'infinity' && text !== '-infinity') return false
  const positive = text === 'infinity'
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setInt32(out.length + 4, positive ? 0x7fffffff : -0x80000000)
  out.view.setInt32(out.length + 8, positive ? -1 : 0)
  out.length += 12
  return true
}

/**
 * timestamp and timestamptz: microseconds since 2000-01-01, the latter in UTC.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/timestamp.c (timestamptz_recv)
 */
export const timestamptz: FieldCodec = {
  text: prepareInstant,
  binary: putInstant,
  common: commonInstant,
  scan: scanTimestamptz(scanString(putInstant)),
  wasm: 'timestamptz',
}

export const timestamp: FieldCodec = {
  text: prepareValue,
  binary: putLocal,
  scan: scanTimestamp(scanString(putLocal)),
  wasm: 'timestamp',
}
