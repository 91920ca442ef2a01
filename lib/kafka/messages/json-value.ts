import { bytesTextOf, noteBytesText } from '../../values/bytes-text.ts'
import {
  isExact,
  isWellFormedJson,
  LongNumber,
  parseExactJson,
  stringsIn,
  toJsonText,
} from '../../values/exact-json.ts'
import { isBuiltIn } from '../../write/rows/make-rows.ts'

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
  if (Array.isArray(row) || isBuiltIn(row)) return row // not a row, which the writer reports
  const copy = copyOf(row)
  const form = bytesTextOf(row)
  if (form) noteBytesText(copy, form)
  return copy
}

function copyOf(row: object): object {
  const own = Object.fromEntries(Object.entries(row).map(([key, value]) => [key, longToText(value)]))
  return isPlainObject(row) ? own : Object.assign(Object.create(inheritedBy(row)), own)
}

/** Returns what an instance of a class has beside its own properties: getters and inherited values. */
function inheritedBy(row: object): object {
  const names = new Set<string>()
  for (const key in row) names.add(key)
  for (let at = Object.getPrototypeOf(row); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get) names.add(name)
  }
  const inherited = {}
  for (const name of names) {
    if (Object.hasOwn(row, name)) continue
    const get = (): unknown => longToText((row as Record<string, unknown>)[name])
    Object.defineProperty(inherited, name, { get, enumerable: true })
  }
  return inherited
}

function longToText(value: unknown): unknown {
  if (value instanceof LongNumber) return value.text
  if (!(Array.isArray(value) || isPlainObject(value)) || !holdsLong(value)) return value
  // an array of numbers is for an array column or a json column; what has objects is for a json column
  return Array.isArray(value) && !holdsObject(value) ? textsAndNumbers(value) : toJsonText(value)
}

/** Returns an array of digits, for an array column. As JSON it is an array of the numbers. */
function textsAndNumbers(values: readonly unknown[]): unknown[] {
  const texts = values.map(longToText)
  const numbers = values.map((value, index) =>
    value instanceof LongNumber || typeof value === 'bigint' ? new LongNumber(String(value)) : texts[index],
  )
  return Object.defineProperty(texts, 'toJSON', { value: () => numbers })
}

function holdsLong(value: unknown): boolean {
  if (typeof value === 'bigint' || value instanceof LongNumber) return true
  return (Array.isArray(value) || isPlainObject(value)) && Object.values(value).some(holdsLong)
}

function holdsObject(value: unknown): boolean {
  return isPlainObject(value) || (Array.isArray(value) && value.some(holdsObject))
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
