import {
  isExact,
  isWellFormedJson,
  LongNumber,
  parseExactJson,
  stringsIn,
  toJsonText,
} from '../../values/exact-json.ts'

/** Digits and sign of the longest integer that numeric holds; a bigint of more takes long to be made. */
const MAX_NUMERIC_LENGTH = 131_073

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export interface ParsedJson {
  readonly value: unknown
  /** A number is in it that JavaScript would round. */
  readonly long: boolean
}

/**
 * The JSON value of a message. A whole number that JavaScript would round is a bigint, any other one a `LongNumber`,
 * which prints its digits.
 * @throws what is neither UTF-8 nor JSON; the error quotes nothing of it
 */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch {
    throw new TypeError('not UTF-8')
  }
  let long = false
  try {
    const value = parseExactJson(text, digits => {
      if (isExact(digits)) return Number(digits)
      long = true
      const isInteger = digits.length <= MAX_NUMERIC_LENGTH && /^-?\d+$/.test(digits)
      return isInteger ? BigInt(digits) : new LongNumber(digits)
    })
    if (isWellFormedJson(text, () => stringsIn(value))) return { value, long }
  } catch {
    throw new TypeError('not JSON') // the reason that JSON.parse gives quotes the text
  }
  throw new TypeError('JSON with half of a surrogate pair, which PostgreSQL has no text for')
}

/** A row whose message had long numbers, as the encoders take it: digits for a number, JSON text for what holds one. */
export function withLongNumbers(row: object): object {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, longToText(value)]))
}

function longToText(value: unknown): unknown {
  if (value instanceof LongNumber) return value.text
  // bigints in an array are for an array column to take; with objects in it the column is json
  if (Array.isArray(value) && !value.some(isPlainObject)) return value.map(longToText)
  return (Array.isArray(value) || isPlainObject(value)) && holdsLong(value) ? toJsonText(value) : value
}

function holdsLong(value: unknown): boolean {
  if (typeof value === 'bigint' || value instanceof LongNumber) return true
  return (Array.isArray(value) || isPlainObject(value)) && Object.values(value).some(holdsLong)
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
