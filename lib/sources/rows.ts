import { LongNumber, RawJson } from '../values/exact-json.ts'

/** A row of any source: an object with a key for each column. */
export type SourceRow = Record<string, unknown>

/** The limit of a line and of a CSV record. Without it, a stray quote would read a whole file into memory. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024

/**
 * The rows of an array hold about so many bytes at most, however few they are. Without this limit, 5,000 rows
 * of a megabyte each would be in memory at once; with a larger one, writing would begin later.
 */
export const BATCH_BYTES = 1024 * 1024

/** A batch ends when it has so many rows, or about so many bytes. */
export interface BatchLimits {
  readonly rows: number
  readonly bytes: number
}

/** Sets `row[column]`. A plain assignment to `__proto__` would set the prototype, and lose the column. */
export function setOwn(row: SourceRow, column: string, value: unknown): void {
  if (column !== '__proto__') row[column] = value
  else Object.defineProperty(row, column, { value, enumerable: true, writable: true })
}

export function isRow(value: unknown): value is SourceRow {
  return kindOf(value) === 'an object'
}

/** Returns the kind of a JSON value in words, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof LongNumber) return 'a number'
  if (value instanceof RawJson) return value.text.startsWith('[') ? 'an array' : 'an object'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
