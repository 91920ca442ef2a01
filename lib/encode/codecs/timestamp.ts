import { types } from 'node:util'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import type { Codec } from './codec.ts'
import { IsoReader } from './iso-8601.ts'
import { EPOCH_MS, FIRST_MS, localClock } from './local-clock.ts'
import { prepareInstant, prepareValue } from './parameter.ts'

/**
 * timestamp and timestamptz: microseconds since 2000-01-01, the latter in UTC.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/timestamp.c (timestamptz_recv)
 */
export const timestamptz: Codec = {
  text: prepareInstant,
  binary(out, value) {
    if (types.isDate(value)) {
      const time = value.getTime()
      return time >= FIRST_MS && putInt64(out, time - EPOCH_MS, 1000, 0)
    }
    if (typeof value !== 'string') return false
    // Without an offset the session's zone decides: the server's affair.
    if (iso.readDate(value)) return iso.hasTime && !Number.isNaN(iso.offset) && putIso(out, iso.offset)
    return putInfinity(out, value)
  },
}

export const timestamp: Codec = {
  text: prepareValue,
  binary(out, value) {
    if (types.isDate(value)) {
      const clock = localClock(value)
      return !Number.isNaN(clock) && putInt64(out, clock, 1000, 0)
    }
    if (typeof value !== 'string') return false
    if (iso.readDate(value)) return putIso(out, 0) // timestamp_in reads an offset and drops it
    return putInfinity(out, value)
  },
}

const iso = new IsoReader()

/** One day, so that no offset reaches before PostgreSQL's calendar. */
const FIRST_DAY = (FIRST_MS - EPOCH_MS) / 86_400_000 + 1

function putIso(out: ByteBuffer, offset: number): boolean {
  return (
    iso.days >= FIRST_DAY && putInt64(out, iso.days * 86_400 + iso.seconds - offset, 1_000_000, iso.micros)
  )
}

/** A timestamp of so many seconds and microseconds since 2000-01-01. */
export function putMicroseconds(out: ByteBuffer, seconds: number, micros: number): boolean {
  return putInt64(out, seconds, 1_000_000, micros)
}

/** An int8 of `count * unit + rest`, where the product may need more bits than a double has. */
function putInt64(out: ByteBuffer, count: number, unit: number, rest: number): boolean {
  const high = Math.floor(count / 0x1_0000_0000)
  const low = (count - high * 0x1_0000_0000) * unit + rest
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setInt32(out.length + 4, high * unit + Math.floor(low / 0x1_0000_0000))
  out.view.setInt32(out.length + 8, low)
  out.length += 12
  return true
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
