import type { Meaning, TimestampMeaning } from '../../columnar/block.ts'
import { INT96_WORDS, JULIAN_EPOCH, type StoredValues } from '../../columnar/stored-values.ts'
import type { FieldCodec } from '../codecs/codec.ts'
import { numeric, putUnscaled } from '../codecs/numbers/numeric.ts'
import { date } from '../codecs/temporal/date.ts'
import { timestamp, timestamptz } from '../codecs/temporal/timestamp.ts'
import { uuid } from '../codecs/text/uuid.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'

/**
 * Appends the field of the stored value with this index, the same bytes that the codec appends for its value.
 * Returns false, and appends nothing, for a value that is not a common one.
 */
export type PutStored = (out: ByteBuffer, index: number) => boolean

/** The column that values go to. */
export interface StoredTarget {
  readonly codec: FieldCodec
  /** Converts a value of the file to one that the column takes. */
  readonly fit: (value: unknown) => unknown
}

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

/** Returns a reader of plain values: undefined for an integer that no number holds. */
function itselfReader(stored: StoredValues): ((index: number) => number | boolean | undefined) | undefined {
  switch (stored.kind) {
    case 'int32':
    case 'float32':
    case 'float64': {
      const { values } = stored
      return index => values[index]!
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

/** Returns a reader of integers of 64 bits as the nearest numbers. */
function integerReader(values: BigInt64Array): (index: number) => number {
  const words = wordsOf(values)
  return index => words[index * 2 + 1]! * TWO_32 + (words[index * 2]! >>> 0)
}

/** The same memory as words of 32 bits, the lower one first. */
function wordsOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length * 2)
}

const TWO_32 = 0x1_0000_0000

/** Days from 1970 to 2000, where PostgreSQL's calendar begins to count. */
const EPOCH_DAYS = 10_957

/** Dates from 0001-01-01 to 9999-12-31: the years that the text of a date has four digits for. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896

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

/** Longer integers are not exact where they are divided. */
const MAX_UNSCALED = 1e15

function putDecimals(stored: StoredValues, decimals: number): PutStored | undefined {
  const unscaledAt = unscaledReader(stored)
  if (!unscaledAt || decimals < 0 || decimals > 4) return undefined
  return (out, index) => {
    const unscaled = unscaledAt(index)
    if (!(unscaled < MAX_UNSCALED && unscaled > -MAX_UNSCALED)) return false
    putUnscaled(out, unscaled, decimals)
    return true
  }
}

/** Returns a reader of unscaled integers as numbers: NaN for those that have more digits. */
function unscaledReader(stored: StoredValues): ((index: number) => number) | undefined {
  if (stored.kind === 'int32') return index => stored.values[index]!
  if (stored.kind === 'int64') return integerReader(stored.values)
  if (stored.kind !== 'bytes') return undefined
  const { bytes, starts, ends } = stored
  return index => bigEndian(bytes, starts[index]!, ends[index]!)
}

/** Reads two's complement. A double is exact for the integers that are used. */
function bigEndian(bytes: Buffer, start: number, end: number): number {
  if (end === start) return 0
  let value = bytes.readInt8(start)
  for (let at = start + 1; at < end; at++) {
    value = value * 256 + bytes[at]!
    if (value >= MAX_UNSCALED || value <= -MAX_UNSCALED) return Number.NaN
  }
  return value
}

/** Microseconds from 1970 to 2000. */
const EPOCH_MICROS = 946_684_800_000_000
const DAY_MICROS = 86_400_000_000

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
