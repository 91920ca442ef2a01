import {
  isExact,
  isWellFormedJson,
  LongNumber,
  parseExactJson,
  stringsIn,
  toJsonText,
} from '../../values/exact-json.ts'

/** Digits and sign of the longest integer that numeric holds. A longer bigint takes long to make. */
const MAX_NUMERIC_LENGTH = 131_073

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export interface ParsedJson {
  readonly value: unknown
  /** The value has a number that JavaScript would round. */
  readonly long: boolean
}

/**
 * Returns the JSON value of a message. An integer that JavaScript would round is a bigint; any other such
 * number is a `LongNumber`, which prints its digits.
 * @throws TypeError for bytes that are not UTF-8 or not JSON; its message quotes nothing of them
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
    throw new TypeError('not JSON') // the message of JSON.parse quotes the text
  }
  throw new TypeError('JSON with half of a surrogate pair, which PostgreSQL has no text for')
}

/**
 * Returns a row for the encoders: a long number becomes its digits, and what contains one becomes JSON text.
 */
export function withLongNumbers(row: object): object {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, longToText(value)]))
}

function longToText(value: unknown): unknown {
  if (value instanceof LongNumber) return value.text
  // an array of numbers is for an array column; an array with objects is for a json column
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
