import { LongNumber, RawJson } from '../values/exact-json.ts'

/** What every source yields: one object a row, its keys the columns. */
export type SourceRow = Record<string, unknown>

/** No line and no CSV field is taken to be longer: without a bound, a stray quote would read a whole file into memory. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** As `row[column] = value`, also for the one name for which that would set the prototype, and lose the column. */
export function setOwn(row: SourceRow, column: string, value: unknown): void {
  if (column !== '__proto__') row[column] = value
  else Object.defineProperty(row, column, { value, enumerable: true, writable: true })
}

export function isRow(value: unknown): value is SourceRow {
  return kindOf(value) === 'an object'
}

/** The kind of a JSON value in words, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof LongNumber) return 'a number'
  if (value instanceof RawJson) return value.text.startsWith('[') ? 'an array' : 'an object'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
