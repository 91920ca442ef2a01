import { types } from 'node:util'
import { exactNumber, LongNumber, RawJson } from './exact-json.ts'
import { isJson } from './is-json.ts'
import { repeatsKey } from './text/repeats-key.ts'
import { withPoint } from './text/with-point.ts'

/**
 * The types that can be inferred. A time without a zone stays without one, because a zone would be a guess.
 */
export type InferredType =
  | 'boolean'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'double precision'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'bytea'
  | 'json'
  | 'jsonb'
  | 'text'

/**
 * CSV has texts only, so that their look decides. In `decimal-comma` a number is `1,5`, and `1.5` is text. In
 * JSON a string is never a number. Nor is it in objects of a program, where a string for a jsonb column has
 * to be JSON, as `pg` sends it.
 */
export type ValueKind = 'csv' | 'decimal-comma' | 'json' | 'object'

/**
 * Returns the narrowest type that gives a value back as it was written, or undefined for NULL. Ambiguous
 * values are text: leading zeros, a plus sign, dates that are not ISO 8601, `t` and `f`.
 */
export function inferType(value: unknown, kind: ValueKind): InferredType | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string') return typeOfText(value, kind)
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint') return typeOfInteger(value)
  if (value instanceof LongNumber) return value.text === '-0' ? 'double precision' : typeOfNumber(value.text)
  if (value instanceof RawJson) return survivesJsonb(value.text) ? 'jsonb' : 'json'
  if (typeof value !== 'number') return typeOfObject(value)
  if (Object.is(value, -0) || !Number.isFinite(value)) return 'double precision'
  return typeOfNumber(String(value))
}

/** Returns the narrowest type that holds the values of both types. */
export function widerType(a: InferredType, b: InferredType, kind: ValueKind): InferredType {
  if (a === b) return a
  const json = [a, b].includes('json') ? 'json' : 'jsonb'
  if (a === json || b === json) {
    if (kind === 'json') return json
    if (kind === 'object') return isJsonType(a) && isJsonType(b) ? json : 'text'
  }
  const [narrow, wide] = [NUMBERS.indexOf(a), NUMBERS.indexOf(b)].sort((x, y) => x - y) as [number, number]
  if (narrow < 0) return 'text'
  // a double holds every integer, but not every bigint
  if (NUMBERS[wide] === 'double precision' && NUMBERS[narrow] !== 'integer') return 'numeric'
  return NUMBERS[wide]!
}

const NUMBERS: readonly InferredType[] = ['integer', 'bigint', 'numeric', 'double precision']

/** Returns true for a type whose texts are JSON. */
function isJsonType(type: InferredType): boolean {
  return type === 'json' || type === 'jsonb' || type === 'boolean' || NUMBERS.includes(type)
}

/** A Date is an instant. An object that converts itself to a parameter may become anything. */
function typeOfObject(value: unknown): InferredType {
  if (types.isDate(value)) return 'timestamptz'
  if (ArrayBuffer.isView(value)) return 'bytea'
  const converts = typeof (value as { toPostgres?: unknown }).toPostgres === 'function'
  return converts ? 'text' : 'jsonb'
}

function typeOfText(text: string, kind: ValueKind): InferredType {
  if (kind === 'csv' || kind === 'decimal-comma') {
    if (/^(true|false)$/i.test(text)) return 'boolean'
    const number = kind === 'csv' ? text : withPoint(text)
    if (number !== undefined && number.length <= MAX_NUMBER_LENGTH && NUMBER.test(number))
      return typeOfNumber(number)
    if (/^[[{]/.test(text) && isJson(text) && survivesJsonb(text)) return 'jsonb'
  }
  const timestamp = TIMESTAMP.exec(text)
  if (timestamp) return typeOfTimestamp(timestamp)
  return UUID.test(text) ? 'uuid' : 'text'
}

/** The pattern for numbers would backtrack over a longer text for each of its digits. */
const MAX_NUMBER_LENGTH = 1000

/** An exponent needs a sign, or a point before it: `12e5` may be the number of a part. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:(?<=\.\d+)[eE]\d{1,3}|[eE][-+]\d{1,3})?$/
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
/** More than six decimals would be rounded, so that such a time is text. */
const TIME = /([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?/
const ZONE = /(Z|[-+](?:0\d|1[0-5])(?::?[0-5]\d)?)/
const TIMESTAMP = new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)(?:[T ]${TIME.source}${ZONE.source}?)?$`)

function typeOfTimestamp([, year, month, day, hour, zone]: RegExpExecArray): InferredType {
  const date = new Date(Date.UTC(2000, Number(month) - 1, 1))
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const exists =
    Number(year) > 0 && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  if (!exists) return 'text'
  if (hour === undefined) return 'date'
  return zone === undefined ? 'timestamp' : 'timestamptz'
}

/**
 * Returns the type of a number's text. A plain decimal is exact, and may end with zeros that a double would
 * lose.
 */
function typeOfNumber(text: string): InferredType {
  if (/^-?\d+$/.test(text)) {
    if (text === '-0') return 'text'
    return text.length > MAX_BIGINT_LENGTH ? 'numeric' : typeOfInteger(BigInt(text))
  }
  if (!/[eE]/.test(text)) return 'numeric'
  return exactNumber(text) instanceof LongNumber ? 'numeric' : 'double precision'
}

/** The digits and the sign of a bigint. */
const MAX_BIGINT_LENGTH = 20

function typeOfInteger(value: bigint): InferredType {
  if (BigInt.asIntN(32, value) === value) return 'integer'
  return BigInt.asIntN(64, value) === value ? 'bigint' : 'numeric'
}

/** Returns true for JSON that jsonb gives back: it has no NUL, and keeps only the last of equal keys. */
function survivesJsonb(json: string): boolean {
  return !json.includes('\\u0000') && !repeatsKey(json)
}
