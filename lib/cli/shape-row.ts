import { LongNumber, RawJson, toJsonText } from '../exact-json.ts'
import type { SourceRow } from '../sources/rows.ts'
import type { PgType, Table } from '../types.ts'

/**
 * Fits a row of a JSON or Parquet file to its table, in place. What a json column gets is the JSON that stood in the
 * file, also when it is a mere string; elsewhere a number that JavaScript cannot hold is handed on as its digits.
 * @param lists what a column of text gets of a list: JSON, as of an object, or the text of PostgreSQL's array
 */
export function rowShaper(table: Table, lists: 'json' | 'array'): (row: SourceRow) => SourceRow {
  const json = columnsOf(table, isJson)
  const text = lists === 'json' ? columnsOf(table, isText) : []
  return row => {
    writeListsAsJson(row, text)
    for (const key of json) {
      const value = row[key]
      if (value !== null && value !== undefined) row[key] = jsonOf(value)
    }
    for (const key in row) {
      const value = row[key]
      if (typeof value === 'object' && value !== null) row[key] = withoutLongNumbers(value)
    }
    return row
  }
}

/** The columns whose type is such a one. */
export function columnsOf(table: Table, isSuch: (type: PgType) => boolean): ReadonlySet<string> {
  return new Set(table.columns.filter(column => isSuch(column.type)).map(column => column.name))
}

/** The lists of a JSON row in columns of text, in place: PostgreSQL's `{"1","x"}` was never in the file. */
export function writeListsAsJson(row: SourceRow, text: Iterable<string>): void {
  for (const key of text) {
    const value = row[key]
    if (Array.isArray(value)) row[key] = toJsonText(value)
  }
}

function jsonOf(value: unknown): unknown {
  if (value instanceof RawJson) return value.text
  if (ArrayBuffer.isView(value)) return value // taken to be JSON in bytes
  // NaN and the infinities, which JSON would make null of
  return toJsonText(typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)
}

/** The value with every number that JavaScript cannot hold as its digits. */
export function withoutLongNumbers(value: unknown): unknown {
  if (value instanceof LongNumber || value instanceof RawJson) return value.text
  if (ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(withoutLongNumbers)
  return typeof value === 'object' && value !== null ? toJsonText(value) : value
}

export function isJson(type: PgType): boolean {
  if (type.kind === 'domain' && type.base) return isJson(type.base)
  return type.builtIn && (type.name === 'json' || type.name === 'jsonb')
}

export function isText(type: PgType): boolean {
  if (type.kind === 'domain' && type.base) return isText(type.base)
  return type.name === 'citext' || (type.builtIn && TEXT_TYPES.includes(type.name))
}

const TEXT_TYPES = ['text', 'varchar', 'bpchar', 'name']
