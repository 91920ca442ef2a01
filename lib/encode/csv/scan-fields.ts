import { boolean } from '../codecs/boolean.ts'
import type { Codec } from '../codecs/codec.ts'
import { date } from '../codecs/date.ts'
import { float8 } from '../codecs/float.ts'
import { int2, int4, int8 } from '../codecs/integer.ts'
import { HEAD_FULL, nearestDouble } from '../codecs/nearest-double.ts'
import { numeric, putShort } from '../codecs/numeric.ts'
import { JSONB_VERSION, json, jsonb, text } from '../codecs/text.ts'
import { timestamp, timestamptz } from '../codecs/timestamp.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { MISFIT, type ScanField } from './scan-field.ts'
import { scanDate, scanTimestamp, scanTimestamptz } from './scan-moments.ts'

/** What reads a type's values from bytes. The commonest types do without making a string, half of what a row costs. */
export function scanFieldOf(codec: Codec, delimiter: string): ScanField {
  return (!IN_VALUES.test(delimiter) && OF_BYTES.get(codec)) || ofString(codec)
}

/** What numbers, dates and words are made of: a file with such a delimiter would have them in pieces. */
const IN_VALUES = /[-+.: \dA-Za-z]/

/** For all that the others leave, too: the value as a string. */
function ofString({ binary }: Codec): ScanField {
  return (out, bytes, at, end, delimiter) => {
    const stop = endOfValue(bytes, at, end, delimiter)
    return binary!(out, bytes.toString('utf8', at, stop)) ? stop : MISFIT
  }
}

function endOfValue(bytes: Buffer, at: number, end: number, delimiter: number): number {
  let stop = at
  while (stop < end && bytes[stop] !== delimiter) stop++
  return stop
}

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

/** Up to here a loop over the bytes costs less than calls of the engine, which make views of them. */
const SHORT = 120

/** Appends bytes up to the delimiter; returns where they stop. */
function putBytes(out: ByteBuffer, bytes: Buffer, at: number, end: number, delimiter: number): number {
  out.reserve(end - at)
  const into = out.bytes
  let to = out.length
  let from = at
  for (const soon = Math.min(end, at + SHORT); from < soon; from++) {
    const byte = bytes[from]!
    if (byte === delimiter) break
    into[to++] = byte
  }
  if (from < end && bytes[from] !== delimiter) {
    const rest = bytes.subarray(from, end)
    const found = delimiter < 0 ? -1 : rest.indexOf(delimiter)
    const length = found < 0 ? rest.length : found
    to += rest.copy(into, to, 0, length)
    from += length
  }
  out.length = to
  return from
}

const scanText: ScanField = (out, bytes, at, end, delimiter) => {
  const start = out.length
  out.reserve(4)
  out.length = start + 4
  const stop = putBytes(out, bytes, at, end, delimiter)
  out.view.setInt32(start, stop - at)
  return stop
}

const scanJsonb: ScanField = (out, bytes, at, end, delimiter) => {
  const start = out.length
  out.reserve(5)
  out.bytes[start + 4] = JSONB_VERSION
  out.length = start + 5
  const stop = putBytes(out, bytes, at, end, delimiter)
  out.view.setInt32(start, stop - at + 1)
  return stop
}

/** So many digits are exact in a double, whatever they are. */
const EXACT_DIGITS = 15

/** `-?\d{1,15}`, in so many bytes. */
function ofInteger(codec: Codec, size: 2 | 4 | 8): ScanField {
  const slow = ofString(codec)
  const beyond = size === 8 ? Number.POSITIVE_INFINITY : 2 ** (size * 8 - 1)
  return (out, bytes, at, end, delimiter) => {
    const negative = at < end && bytes[at] === MINUS
    const first = negative ? at + 1 : at
    let integer = 0
    let stop = first
    for (; stop < end; stop++) {
      const byte = bytes[stop]!
      if (byte === delimiter) break
      const digit = byte - ZERO
      if (digit < 0 || digit > 9) return slow(out, bytes, at, end, delimiter)
      integer = integer * 10 + digit
    }
    const digits = stop - first
    if (digits === 0 || digits > EXACT_DIGITS || integer >= beyond)
      return slow(out, bytes, at, end, delimiter)
    if (negative) integer = -integer
    out.reserve(12)
    const { view, length } = out
    view.setInt32(length, size)
    if (size === 4) view.setInt32(length + 4, integer)
    else if (size === 2) view.setInt16(length + 4, integer)
    else {
      view.setInt32(length + 4, Math.floor(integer / 0x1_0000_0000))
      view.setInt32(length + 8, integer)
    }
    out.length = length + 4 + size
    return stop
  }
}

const slowNumeric = ofString(numeric)

/** `-?\d{1,15}(\.\d{1,4})?` */
const scanNumeric: ScanField = (out, bytes, at, end, delimiter) => {
  const negative = at < end && bytes[at] === MINUS
  const first = negative ? at + 1 : at
  let whole = 0
  let stop = first
  for (; stop < end; stop++) {
    const digit = bytes[stop]! - ZERO
    if (digit < 0 || digit > 9) break
    whole = whole * 10 + digit
  }
  if (stop === first || stop - first > EXACT_DIGITS) return slowNumeric(out, bytes, at, end, delimiter)
  let fraction = 0
  let scale = 0
  if (stop < end && bytes[stop] !== delimiter) {
    if (bytes[stop] !== POINT) return slowNumeric(out, bytes, at, end, delimiter)
    const point = stop++
    for (; stop < end; stop++) {
      const byte = bytes[stop]!
      if (byte === delimiter) break
      const digit = byte - ZERO
      if (digit < 0 || digit > 9) return slowNumeric(out, bytes, at, end, delimiter)
      fraction = fraction * 10 + digit
    }
    scale = stop - point - 1
    if (scale < 1 || scale > 4) return slowNumeric(out, bytes, at, end, delimiter)
    for (let place = scale; place < 4; place++) fraction *= 10
  }
  putShort(out, negative, whole, fraction, scale)
  return stop
}

const slowFloat8 = ofString(float8)

/** `-?\d+(\.\d+)?` */
const scanFloat8: ScanField = (out, bytes, at, end, delimiter) => {
  const negative = at < end && bytes[at] === MINUS
  const first = negative ? at + 1 : at
  let head = 0
  let tail = 0
  let tailDigits = 0
  let point = -1
  let stop = first
  for (; stop < end; stop++) {
    const byte = bytes[stop]!
    if (byte === delimiter) break
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      if (head < HEAD_FULL) head = head * 10 + digit
      else {
        tail = tail * 10 + digit
        tailDigits++
      }
    } else if (byte === POINT && point < 0 && stop > first) point = stop
    else return slowFloat8(out, bytes, at, end, delimiter)
  }
  const decimals = point < 0 ? 0 : stop - point - 1
  if (stop === first || (point >= 0 && decimals === 0)) return slowFloat8(out, bytes, at, end, delimiter)
  const double = nearestDouble(head, tail, tailDigits, decimals)
  if (Number.isNaN(double)) return slowFloat8(out, bytes, at, end, delimiter)
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setFloat64(out.length + 4, negative ? -double : double)
  out.length += 12
  return stop
}

const slowBoolean = ofString(boolean)

/** `t` and `f` as PostgreSQL writes them, `true` and `false` as most others do, 1 and 0. */
const scanBoolean: ScanField = (out, bytes, at, end, delimiter) => {
  const word = WORDS.find(({ spelling }) => startsWith(bytes, at, end, spelling))
  const stop = word ? at + word.spelling.length : at
  if (!word || (stop < end && bytes[stop] !== delimiter)) return slowBoolean(out, bytes, at, end, delimiter)
  out.reserve(5)
  out.view.setInt32(out.length, 1)
  out.bytes[out.length + 4] = word.bit
  out.length += 5
  return stop
}

/** A word comes before those that begin it. */
const WORDS = (
  [
    ['true', 1],
    ['false', 0],
    ['t', 1],
    ['f', 0],
    ['1', 1],
    ['0', 0],
  ] as const
).map(([spelling, bit]) => ({ spelling: Buffer.from(spelling), bit }))

function startsWith(bytes: Buffer, at: number, end: number, word: Buffer): boolean {
  if (end - at < word.length) return false
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/**
 * How many bytes stand before the text itself, in types whose binary form is their text; undefined for all others.
 * Their fields need not be cut before they are read.
 */
export function verbatimLead(codec: Codec): number | undefined {
  return codec === jsonb ? 1 : codec === text || codec === json ? 0 : undefined
}

const OF_BYTES: ReadonlyMap<Codec, ScanField> = new Map([
  [text, scanText],
  [json, scanText],
  [jsonb, scanJsonb],
  [int2, ofInteger(int2, 2)],
  [int4, ofInteger(int4, 4)],
  [int8, ofInteger(int8, 8)],
  [numeric, scanNumeric],
  [float8, scanFloat8],
  [boolean, scanBoolean],
  [date, scanDate(ofString(date))],
  [timestamp, scanTimestamp(ofString(timestamp))],
  [timestamptz, scanTimestamptz(ofString(timestamptz))],
])
