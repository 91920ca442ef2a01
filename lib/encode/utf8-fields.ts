import type { ByteBuffer } from './byte-buffer.ts'
import type { Codec, PutUtf8 } from './codec.ts'
import { boolean } from './codecs/boolean.ts'
import { float8 } from './codecs/float.ts'
import { int2, int4, int8 } from './codecs/integer.ts'
import { numeric, putShort } from './codecs/numeric.ts'
import { json, jsonb, text } from './codecs/text.ts'
import { timestamp, timestamptz } from './codecs/timestamp.ts'
import { putUtf8Timestamp, putUtf8Timestamptz } from './utf8-timestamps.ts'

/** The commonest types do without making the string, which is half of what a row from a file costs. */
export function utf8FieldOf(codec: Codec): PutUtf8 {
  return OF_BYTES.get(codec) ?? ofString(codec)
}

function ofString({ binary }: Codec): PutUtf8 {
  return (out, bytes, start, end) => binary!(out, bytes.toString('utf8', start, end))
}

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

/** Up to here a loop over the bytes costs less than `copy`, which makes a view of them. */
const SHORT = 120

/** Appends bytes; room must be reserved. */
function putBytes(out: ByteBuffer, bytes: Buffer, start: number, end: number): void {
  const into = out.bytes
  let at = out.length
  if (end - start > SHORT) at += bytes.copy(into, at, start, end)
  else for (let i = start; i < end; i++) into[at++] = bytes[i]!
  out.length = at
}

function putText(out: ByteBuffer, bytes: Buffer, start: number, end: number): boolean {
  out.reserve(4 + end - start)
  out.view.setInt32(out.length, end - start)
  out.length += 4
  putBytes(out, bytes, start, end)
  return true
}

function putJsonb(out: ByteBuffer, bytes: Buffer, start: number, end: number): boolean {
  out.reserve(5 + end - start)
  out.view.setInt32(out.length, end - start + 1)
  out.bytes[out.length + 4] = 1 // the version of the format
  out.length += 5
  putBytes(out, bytes, start, end)
  return true
}

/** So many digits are exact in a double, whatever they are. */
const EXACT_DIGITS = 15

/** `-?\d{1,15}`, else NaN. */
function integerOf(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === MINUS && start < end
  let at = negative ? start + 1 : start
  if (at === end || end - at > EXACT_DIGITS) return Number.NaN
  let integer = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    integer = integer * 10 + digit
  }
  return negative ? -integer : integer
}

/** A codec of integers gives numbers their exact form, and what is no short number is for its own reading of text. */
function ofInteger(codec: Codec): PutUtf8 {
  const put = codec.binary!
  const slow = ofString(codec)
  return (out, bytes, start, end) => {
    const integer = integerOf(bytes, start, end)
    return Number.isNaN(integer) ? slow(out, bytes, start, end) : put(out, integer)
  }
}

const slowNumeric = ofString(numeric)

/** `-?\d{1,15}(\.\d{1,4})?` at once. */
function putNumeric(out: ByteBuffer, bytes: Buffer, start: number, end: number): boolean {
  const negative = bytes[start] === MINUS
  let at = negative ? start + 1 : start
  const first = at
  let whole = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) break
    whole = whole * 10 + digit
  }
  if (at === first || at - first > EXACT_DIGITS) return slowNumeric(out, bytes, start, end)
  let fraction = 0
  let scale = 0
  if (at < end) {
    scale = end - at - 1
    if (bytes[at] !== POINT || scale < 1 || scale > 4) return slowNumeric(out, bytes, start, end)
    for (at++; at < end; at++) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) return slowNumeric(out, bytes, start, end)
      fraction = fraction * 10 + digit
    }
    for (let place = scale; place < 4; place++) fraction *= 10
  }
  putShort(out, negative, whole, fraction, scale)
  return true
}

const slowFloat8 = ofString(float8)

const MOST_EXACT = 2 ** 53
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/**
 * `-?\d+(\.\d+)?` whose digits are a number that a double holds: its quotient by an exact power of ten is the nearest
 * double, by the rules of division, and so is what strtod reads.
 * @see Clinger, How to read floating point numbers accurately (1990)
 */
function putFloat8(out: ByteBuffer, bytes: Buffer, start: number, end: number): boolean {
  const negative = bytes[start] === MINUS
  const first = negative ? start + 1 : start
  let digits = 0
  let point = -1
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit
    else if (bytes[at] === POINT && point < 0 && at > first) point = at
    else return slowFloat8(out, bytes, start, end)
  }
  const decimals = point < 0 ? 0 : end - point - 1
  const exact = digits < MOST_EXACT && decimals < POWERS.length
  if (!exact || end === first || (point >= 0 && decimals === 0)) return slowFloat8(out, bytes, start, end)
  const double = digits / POWERS[decimals]!
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setFloat64(out.length + 4, negative ? -double : double)
  out.length += 12
  return true
}

const slowBoolean = ofString(boolean)

/** `t` and `f` as PostgreSQL writes them, `true` and `false` as most others do, 1 and 0. */
function putBoolean(out: ByteBuffer, bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start]
  const length = end - start
  const isTrue = length === 1 ? first === 0x74 || first === 0x31 : spells(TRUE, bytes, start, end)
  const isFalse = length === 1 ? first === 0x66 || first === 0x30 : spells(FALSE, bytes, start, end)
  if (!isTrue && !isFalse) return slowBoolean(out, bytes, start, end)
  out.reserve(5)
  out.view.setInt32(out.length, 1)
  out.bytes[out.length + 4] = isTrue ? 1 : 0
  out.length += 5
  return true
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

function spells(word: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== word.length) return false
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false
  return true
}

const OF_BYTES: ReadonlyMap<Codec, PutUtf8> = new Map([
  [text, putText],
  [json, putText],
  [jsonb, putJsonb],
  [int2, ofInteger(int2)],
  [int4, ofInteger(int4)],
  [int8, ofInteger(int8)],
  [numeric, putNumeric],
  [float8, putFloat8],
  [boolean, putBoolean],
  [timestamp, putUtf8Timestamp(ofString(timestamp))],
  [timestamptz, putUtf8Timestamptz(ofString(timestamptz))],
])
