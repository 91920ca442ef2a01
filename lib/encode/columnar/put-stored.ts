import type { Meaning, TimestampMeaning } from '../../columnar/block.ts'
import {
  DAY_MICROS,
  EPOCH_DAYS,
  EPOCH_MICROS,
  FIRST_DAY,
  JULIAN_EPOCH,
  LAST_DAY,
} from '../../columnar/calendar.ts'
import { INT96_WORDS, type StoredValues } from '../../columnar/stored-values.ts'
import { numeric } from '../codecs/numbers/numeric.ts'
import { date } from '../codecs/temporal/date.ts'
import { timestamp, timestamptz } from '../codecs/temporal/timestamp.ts'
import { uuid } from '../codecs/text/uuid.ts'
import { integerReader, TWO_32, wordsOf } from './integer-reader.ts'
import { putDecimals } from './put-decimals.ts'
import type { PutStored, StoredTarget } from './stored-contract.ts'

/**
 * Returns a function for stored values of which the codec's bytes can be made without another value of
 * JavaScript; undefined for all others.
 */
export function putStoredOf(
  values: StoredValues,
  meaning: Meaning,
  target: StoredTarget,
): PutStored | undefined {
  const { codec } = target
  if (meaning === 'itself') return putItself(values, target)
  if (meaning === 'date') return codec === date ? putDates(values) : undefined
  if (meaning === 'uuid') return codec === uuid ? putUuids(values) : undefined
  if (typeof meaning === 'string') return undefined
  if ('decimals' in meaning) return codec === numeric ? putDecimals(values, meaning.decimals) : undefined
  const fits = codec === timestamp || (codec === timestamptz && meaning.utc)
  return fits ? putTimestamps(values, meaning) : undefined
}

/** Integers of 64 bits become numbers where these are exact, which costs less than a bigint. */
function putItself(stored: StoredValues, target: StoredTarget): PutStored | undefined {
  const { binary } = target.codec
  const valueAt = itselfReader(stored)
  if (!binary || !valueAt) return undefined
  return (out, index) => {
    const value = valueAt(index)
    const start = out.length
    if (value !== undefined && binary(out, target.fit(value))) return true
    out.length = start
    return false
  }
}

/** Returns a reader of plain values: undefined for an integer that no number holds, and for -0. */
function itselfReader(stored: StoredValues): ((index: number) => number | boolean | undefined) | undefined {
  switch (stored.kind) {
    case 'int32':
      return index => stored.values[index]!
    case 'float32':
    case 'float64': {
      const { values } = stored
      return index => (Object.is(values[index], -0) ? undefined : values[index])
    }
    case 'boolean':
      return index => stored.values[index] !== 0
    case 'int64': {
      const integerAt = integerReader(stored.values)
      return index => {
        const integer = integerAt(index)
        return Number.isSafeInteger(integer) ? integer : undefined
      }
    }
    default:
      return undefined
  }
}

function putDates(stored: StoredValues): PutStored | undefined {
  if (stored.kind !== 'int32') return undefined
  const { values } = stored
  return (out, index) => {
    const days = values[index]!
    if (days < FIRST_DAY || days > LAST_DAY) return false
    out.putInt32(4)
    out.putInt32(days - EPOCH_DAYS)
    return true
  }
}

const UUID_BYTES = 16

function putUuids(stored: StoredValues): PutStored | undefined {
  if (stored.kind !== 'bytes') return undefined
  const { bytes, starts, ends } = stored
  return (out, index) => {
    const start = starts[index]!
    if (ends[index]! - start !== UUID_BYTES) return false
    out.putInt32(UUID_BYTES)
    out.reserve(UUID_BYTES)
    bytes.copy(out.bytes, out.length, start, start + UUID_BYTES)
    out.length += UUID_BYTES
    return true
  }
}

/**
 * Up to this distance from 1970, about 255 years, microseconds are exact in a double, also after a shift to
 * 2000.
 */
const MAX_MICROS = Number.MAX_SAFE_INTEGER - EPOCH_MICROS

function putTimestamps(stored: StoredValues, { digits }: TimestampMeaning): PutStored | undefined {
  const microsAt = microsReader(stored, digits)
  if (!microsAt) return undefined
  return (out, index) => {
    const micros = microsAt(index)
    if (!(micros <= MAX_MICROS && micros >= -MAX_MICROS)) return false
    const shifted = micros - EPOCH_MICROS
    out.putInt32(8)
    out.putInt32(Math.floor(shifted / TWO_32))
    out.putInt32(shifted)
    return true
  }
}

/** Returns a reader of microseconds since 1970: NaN for what has nanoseconds. */
function microsReader(stored: StoredValues, digits: 3 | 6 | 9): ((index: number) => number) | undefined {
  if (stored.kind === 'int96') {
    const { words } = stored
    return index => {
      const at = index * INT96_WORDS
      const nanos = (words[at + 1]! >>> 0) * TWO_32 + (words[at]! >>> 0)
      if (nanos >= DAY_MICROS * 1000 || nanos % 1000 !== 0) return Number.NaN
      return (words[at + 2]! - JULIAN_EPOCH) * DAY_MICROS + nanos / 1000
    }
  }
  if (stored.kind !== 'int64') return undefined
  const countAt = integerReader(stored.values)
  if (digits === 6) return countAt
  if (digits === 3) return index => countAt(index) * 1000
  const words = wordsOf(stored.values)
  return index => {
    // a long division by 1000, because nanoseconds are not exact in a double
    const high = words[index * 2 + 1]!
    const quotient = Math.floor(high / 1000)
    const rest = (high - quotient * 1000) * TWO_32 + (words[index * 2]! >>> 0)
    return rest % 1000 === 0 ? quotient * TWO_32 + rest / 1000 : Number.NaN
  }
}
