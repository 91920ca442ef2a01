import { isJson, isText } from '../../encode/json/json-types.ts'
import { isList, readList } from '../../sources/json/json-row.ts'
import type { PgType, Table } from '../../types.ts'
import { exactNumber, isWellFormed, LongNumber, RawJson, toJsonText } from '../../values/exact-json.ts'

/**
 * Converts a value of a JSON or Parquet file to one that a column takes. Throws RangeError for half of a
 * surrogate pair.
 */
export type FitValue = (value: unknown) => unknown

/** What depends on the kind of file. */
export interface FileKind {
  /** What a text column gets for a list: its JSON, or the text of a PostgreSQL array. */
  readonly lists: 'json' | 'array'
  /** How a json column reads a text: as a JSON string, or as JSON in a text. */
  readonly jsonTexts: 'string' | 'json'
}

/** Returns the converter of each column, by its name. */
export function fittersOf(table: Table, kind: FileKind): ReadonlyMap<string, FitValue> {
  return new Map(table.columns.map(({ name, type }) => [name, fitterOf(type, kind)]))
}

function fitterOf(type: PgType, kind: FileKind): FitValue {
  const { base, element } = type
  if (type.kind === 'domain' && base) return fitterOf(base, kind)
  if (isJson(type)) return value => jsonOf(value, kind)
  if (isText(type)) return value => textOf(value, kind)
  if (type.extension === 'postgis') return geometryOf
  if (element && isJson(element)) return value => jsonListOf(value, kind)
  const number = takesDecimals(element ?? type) || (element && isText(element)) ? spelled : exact
  return value => fitValue(value, number)
}

/** Returns the converter of a column that --evolve has added, by its inferred type. */
export function fitterOfNew({ type }: { readonly type: string }, kind: FileKind): FitValue {
  const name = type === 'double precision' ? 'float8' : type
  return fitterOf({ oid: 0, sqlName: type, name, builtIn: true, kind: 'base' }, kind)
}

/** Keeps a value that says what its type is: a number with its digits, JSON as its text. */
export const asItIs: FitValue = value => (typeof value === 'string' ? whole(value) : value)

/** Converts the value of a key that is not a column. */
export const asText: FitValue = value =>
  value instanceof RawJson || value instanceof LongNumber ? value.text : value

/** Returns the JSON of a value, as it is in the file. */
function jsonOf(value: unknown, { jsonTexts }: FileKind): unknown {
  if (typeof value === 'string' && jsonTexts === 'json') return value
  if (value instanceof RawJson || value instanceof LongNumber) return value.text
  if (ArrayBuffer.isView(value)) return value // JSON as bytes
  // JSON would make null of NaN and the infinities
  return toJsonText(typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)
}

/**
 * Converts a list to an array of json. Inner lists are dimensions, null is NULL, and each other element is
 * JSON.
 */
function jsonListOf(value: unknown, kind: FileKind): unknown {
  const list = isList(value) ? readList(value) : value
  if (!Array.isArray(list)) return fitValue(value, spelled) // the text of an array
  const elementOf = (element: unknown): unknown => {
    if (element === null || element === undefined) return element
    return Array.isArray(element) ? element.map(elementOf) : jsonOf(element, kind)
  }
  return list.map(elementOf)
}

/** Keeps a GeoJSON object, which has a binary form. */
function geometryOf(value: unknown): unknown {
  const fitted = fitValue(value, exact)
  const isObject = typeof value === 'object' && typeof fitted === 'string' && fitted.startsWith('{')
  return isObject ? JSON.parse(fitted) : fitted
}

function textOf(value: unknown, { lists }: FileKind): unknown {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value) && lists === 'json') return toJsonText(value)
  return fitValue(value, spelled)
}

function fitValue(value: unknown, number: (value: LongNumber) => unknown): unknown {
  if (typeof value === 'string') return whole(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (value instanceof LongNumber) return number(value)
  const list = isList(value) ? readList(value) : value
  if (list instanceof RawJson) return list.text
  return Array.isArray(list) ? list.map(element => fitValue(element, number)) : toJsonText(list)
}

/** Returns the number as it is written. */
function spelled({ text }: LongNumber): string {
  return text
}

/** Returns the number itself, if JavaScript holds it: an integer column takes 5 for `5.0`. */
function exact({ text }: LongNumber): string | number {
  if (LONG_INTEGER.test(text)) return text
  const value = exactNumber(text)
  return value instanceof LongNumber ? text : value
}

/** JavaScript may hold such a number, but does not know whether it is exact. */
const LONG_INTEGER = /^-?\d{16,}$/

/** @throws RangeError for half of a surrogate pair, which would be stored as U+FFFD */
function whole(text: string): string {
  if (isWellFormed(text)) return text
  throw new RangeError('has half of a surrogate pair, which is no character')
}

/** Returns true if the type's input takes any spelling of a number, and a sign before zero. */
export function takesDecimals(type: PgType): boolean {
  if (type.kind === 'domain' && type.base) return takesDecimals(type.base)
  return type.builtIn && DECIMAL_TYPES.includes(type.name)
}

const DECIMAL_TYPES = ['numeric', 'float4', 'float8']
