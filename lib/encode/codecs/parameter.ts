import { types } from 'node:util'
import { stringifyExact } from '../../values/exact-json.ts'
import { PromiseError } from './promise-error.ts'

/**
 * What `pg` sends for a JavaScript value: the same as `prepareValue` of its lib/utils.js, which a test
 * compares.
 *
 * DEVIATIONS from `INSERT … VALUES ($1)` through `pg`; this list is complete:
 *
 * 1. json and jsonb: a JS array is JSON (`pg` sends an array literal, which the server refuses).
 * 2. timestamptz: a Date is its exact instant. `pg` sends local time and an offset in whole minutes, which is
 *    seconds off where the zone's offset has seconds (before 1972). The same in arrays.
 * 3. Arrays of box and geometry: their elements are separated by the delimiter of the type. `pg` writes
 *    commas, and the server refuses the array.
 * 4. vector, halfvec and sparsevec: an array of numbers, a Float32Array and a Float64Array are the vector.
 *    `pg` sends an array literal or bytes, which the server refuses. Views also in arrays.
 * 5. geography: a GeoJSON object is the geometry, as for a geometry column. The server refuses its text.
 * 6. `pg.defaults.parseInputDatesAsUTC` is not consulted: a Date for other types is local time.
 * 7. A Promise is refused: an `await` is missing. `pg` sends `{}`, which text and JSON columns store.
 *
 * Where COPY itself differs from INSERT:
 *
 * 8. interval with restricted fields (`interval minute`, `interval year to month`): COPY reads a bare number
 *    such as '5' in the column's smallest unit, INSERT through a parameter reads seconds.
 * 9. numeric(p, s): COPY rounds a value of more than 16,383 decimals to the column's scale; as a parameter it
 *    is refused.
 *
 * @see https://node-postgres.com/features/queries#parameterized-query
 * @see https://github.com/brianc/node-postgres/blob/master/packages/pg/lib/utils.js
 */
export type Parameter = string | Buffer | null

export type Prepare = (value: unknown) => Parameter

/** Makes a `prepareValue` that writes dates, everywhere except inside JSON, by `dateText`. */
function makePrepare(dateText: (date: Date) => string): Prepare {
  function prepare(value: unknown, seen?: object[]): Parameter {
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return value
    if (typeof value !== 'object') return value.toString()
    if (Array.isArray(value)) return arrayText(value)
    // plain objects, which most json columns hold, are recognized before the expensive checks
    if (Object.getPrototypeOf(value) === Object.prototype) return objectText(value, seen)
    if (value instanceof Buffer) return value
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (types.isDate(value)) return dateText(value)
    return objectText(value, seen)
  }

  function objectText(value: object, path: object[] | undefined): Parameter {
    if ('toPostgres' in value && typeof value.toPostgres === 'function') {
      const seen = path ?? []
      if (seen.includes(value))
        throw new TypeError('toPostgres returns an object that it was called on before')
      seen.push(value)
      return prepare(
        value.toPostgres((inner: unknown) => prepare(inner)),
        seen,
      )
    }
    if (types.isPromise(value)) throw new PromiseError()
    return stringifyExact(value) ?? null
  }

  function arrayText(values: readonly unknown[]): string {
    return arrayLiteral(values, item =>
      ArrayBuffer.isView(item) ? viewInArray(item) : quoteElement(prepare(item)),
    )
  }

  return value => prepare(value)
}

/** Returns PostgreSQL's literal of an array; inner arrays are dimensions. */
export function arrayLiteral(
  values: readonly unknown[],
  elementText: (item: unknown) => string,
  delimiter = ',',
): string {
  let text = '{'
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += delimiter
    const item = values[i]
    if (item === null || item === undefined) text += 'NULL'
    else if (Array.isArray(item)) text += arrayLiteral(item, elementText, delimiter)
    else text += elementText(item)
  }
  return `${text}}`
}

/** Returns bytes as `pg` writes them in an array. */
export function viewInArray(view: ArrayBufferView): string {
  return `\\\\x${bytesOf(view).toString('hex')}`
}

export function quoteElement(element: Parameter): string {
  if (typeof element !== 'string') throw new TypeError('toPostgres of an array element did not return text')
  return `"${element.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`
}

/** Returns the memory of a view, not a copy. */
export function bytesOf(view: ArrayBufferView): Buffer {
  return view instanceof Buffer ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')

/**
 * Returns local time with its offset in minutes, and BC for years before 1. An invalid date is text that the
 * server refuses.
 */
function localText(date: Date): string {
  const year = date.getFullYear()
  const offset = -date.getTimezoneOffset()
  const distance = offset < 0 ? -offset : offset
  return (
    `${pad(year < 1 ? 1 - year : year, 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}` +
    `T${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}` +
    `.${pad(date.getMilliseconds(), 3)}${offset < 0 ? '-' : '+'}` +
    `${pad(Math.floor(distance / 60), 2)}:${pad(distance % 60, 2)}${year < 1 ? ' BC' : ''}`
  )
}

function utcText(date: Date): string {
  if (Number.isNaN(date.getTime())) return localText(date)
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return date.toISOString()
  return (
    `${pad(year < 1 ? 1 - year : year, 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}` +
    `T${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}` +
    `.${pad(date.getUTCMilliseconds(), 3)}+00:00${year < 1 ? ' BC' : ''}`
  )
}

/** Returns what `pg` sends for a value. */
export const prepareValue: Prepare = makePrepare(localText)

/** The same, except that a date is its exact instant (deviation 2). */
export const prepareInstant: Prepare = makePrepare(utcText)

/** The same, except that an array is JSON (deviation 1). */
export const prepareJson: Prepare = value =>
  Array.isArray(value) ? (stringifyExact(value) ?? null) : prepareValue(value)

/** Returns the text that `pg` sends for a value; undefined where it sends NULL or bytes. */
export function stringOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const text = prepareValue(value)
  return typeof text === 'string' ? text : undefined
}
