import { isNearestFloat, plainDecimal, toDouble } from '../../numbers/float.ts'
import { ShortFloatReader } from '../../numbers/short-float.ts'
import { prepareValue, stringOf } from '../../parameter.ts'

/** VECTOR_MAX_DIM, HALFVEC_MAX_DIM and SPARSEVEC_MAX_NNZ of pgvector. */
export const MAX_FLOATS = 16_000

/** The floats that `readFloats` has read. */
export const floats = new Float32Array(MAX_FLOATS)

/**
 * Reads an array of numbers, a Float32Array or Float64Array, or a text such as '[1,2]' into `floats`. Returns
 * how many there are; -1 for another value, or for a number that only the server can round.
 */
export function readFloats(value: unknown): number {
  if (isList(value)) return readList(value)
  if (ArrayBuffer.isView(value)) return -1
  const text = stringOf(value)
  return text === undefined ? -1 : readText(text)
}

type List = readonly unknown[] | Float32Array | Float64Array

function isList(value: unknown): value is List {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
}

function readList(list: List): number {
  const { length } = list
  if (length === 0 || length > MAX_FLOATS) return -1
  for (let i = 0; i < length; i++) {
    const item = list[i]
    // -0 + 0 is 0, as String(-0) is '0'
    if (!keep(i, typeof item === 'number' ? item + 0 : toDouble(item))) return -1
  }
  return length
}

/** Reads `[1,2.5]`. One space may follow a comma. */
function readText(text: string): number {
  const last = text.length - 1
  if (text.charCodeAt(0) !== OPEN || text.charCodeAt(last) !== CLOSE) return -1
  let count = 0
  for (let at = 1; at <= last; count++) {
    if (count === MAX_FLOATS) return -1
    if (count > 0 && text.charCodeAt(at) === SPACE) at++
    const float = shortFloats.read(text, at)
    const code = text.charCodeAt(shortFloats.end)
    if (!Number.isNaN(float) && (code === COMMA || shortFloats.end === last)) {
      floats[count] = float
      at = shortFloats.end + 1
      continue
    }
    const comma = text.indexOf(',', at)
    const end = comma < 0 ? last : comma
    if (!keep(count, decimal(text, at, end))) return -1
    at = end + 1
  }
  return text.charCodeAt(last - 1) === COMMA ? -1 : count
}

/** Returns the double that a part of a text stands for; undefined where only the server can decide. */
export function decimal(text: string, from: number, end: number): number | undefined {
  const plain = plainDecimal(text, from, end)
  return Number.isNaN(plain) ? toDouble(text.slice(from, end)) : plain
}

/** Keeps the float that is nearest to a number; returns false where only the server can decide. */
function keep(index: number, double: number | undefined): boolean {
  if (double === undefined) return false
  const float = toFloat(double)
  floats[index] = float
  return !Number.isNaN(float)
}

/** Returns NaN for what the server refuses, and where only it can round. */
export function toFloat(double: number): number {
  const float = Math.fround(double)
  return float === double
    ? Number.isFinite(float)
      ? float
      : Number.NaN
    : isNearestFloat(float, double)
      ? float
      : Number.NaN
}

/**
 * Returns the text of a list whose items are all numbers, or decimals in texts: `[1,2.5]`. Of another value
 * it returns what `pg` sends.
 */
export function floatsText(value: unknown): ReturnType<typeof prepareValue> {
  return isList(value) && isNumbers(value) ? `[${value.join(',')}]` : prepareValue(value)
}

/** Returns true for a list of numbers, NaN and infinities among them. */
export function isNumbers(value: unknown): value is List {
  if (!isList(value)) return false
  if (!Array.isArray(value)) return true
  return value.every(item => typeof item === 'number' || toDouble(item) !== undefined)
}

const shortFloats = new ShortFloatReader()

const OPEN = 0x5b
const CLOSE = 0x5d
const COMMA = 0x2c
const SPACE = 0x20
