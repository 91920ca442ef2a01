import { types } from 'node:util'
import { PgBatchError, type PgBatchErrorCode } from '../../errors.ts'
import { errorOrigin } from '../../values/error-origin.ts'
import { kindOf } from '../../values/kind-of.ts'
import { type Batch, type InvalidItem, unsent } from './batch.ts'
import { RowSet } from './row-set.ts'

/** Returns the items that are rows, and lists the others as invalid. */
export function checkItems<Item>(batch: Batch<Item>, invalid: InvalidItem[]): RowSet {
  if (batch.table) return new RowSet(batch.table)
  const items: readonly unknown[] = batch.items
  if (areRows(items)) return new RowSet(items.slice())
  return collect(batch, invalid, index => {
    const item = items[index]
    if (isRow(item)) return item
    throw invalidRow(batch, index, `is ${kindOf(item)}${parserHint(item)}`)
  })
}

/** Returns the rows that `toRow` makes of the items, and lists the items for which it fails as invalid. */
export function mapItems<Item>(
  batch: Batch<Item>,
  toRow: (item: Item) => unknown,
  invalid: InvalidItem[],
): RowSet {
  return collect(batch, invalid, index => {
    const row = callToRow(batch, index, toRow)
    if (row === null || row === undefined) return undefined
    if (typeof row === 'object' && 'then' in row && types.isPromise(row)) {
      row.catch(() => {}) // nothing else handles its rejection
      throw invalidRow(batch, index, 'became a Promise: `toRow` has to be synchronous')
    }
    if (isRow(row)) return row
    throw invalidRow(batch, index, `became ${kindOf(row)} by \`toRow\``)
  })
}

/** Returns what to do about an item that is not a row yet, after a colon. */
export function parserHint(item: unknown): string {
  if (types.isPromise(item)) return ': await it'
  if (Array.isArray(item)) return ': parse CSV into objects, by csv-parse with `columns: true`'
  const isText = typeof item === 'string' || item instanceof Uint8Array
  return isText ? ': put a parser before BatchTransform' : ''
}

/** Collects the rows that `make` returns, and lists the errors that it throws. */
function collect(
  batch: Batch<unknown>,
  invalid: InvalidItem[],
  make: (index: number) => object | undefined,
): RowSet {
  const rows = new RowSet()
  for (let index = 0; index < batch.count; index++) {
    try {
      const row = make(index)
      if (row !== undefined) rows.add(row, index)
    } catch (error) {
      invalid.push({
        index,
        error: error instanceof PgBatchError ? error : unreadableKeys(batch, index, error),
      })
    }
  }
  return rows
}

/** The same as `every`, which calls for each item unless V8 has optimized the caller. */
function areRows(items: readonly unknown[]): items is readonly object[] {
  try {
    for (let index = 0; index < items.length; index++) if (!isRow(items[index])) return false
    return true
  } catch {
    return false // a proxy that was revoked
  }
}

function isRow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns true for objects that do not hold their content under keys: as rows they would have no values. */
export function isBuiltIn(value: object): boolean {
  return (
    types.isPromise(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isBoxedPrimitive(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  )
}

function callToRow<Item>(batch: Batch<Item>, index: number, toRow: (item: Item) => unknown): unknown {
  try {
    return toRow(batch.items[index] as Item)
  } catch (cause) {
    if (cause instanceof PgBatchError && REJECTS.has(cause.code)) throw withPosition(cause, batch, index)
    const details = { ...unsent(batch, index), callback: 'toRow', cause }
    const reason = `\`toRow\` threw ${errorOrigin(cause)}; see error.cause`
    throw new PgBatchError('CALLBACK_FAILED', reason, details)
  }
}

/** The codes with which `toRow` may reject an item: the message of its error is then the reason. */
const REJECTS: ReadonlySet<PgBatchErrorCode> = new Set(['ROW_INVALID', 'VALUE_NOT_ENCODABLE'])

/** Returns the same error with the position of the item. */
function withPosition(error: PgBatchError, batch: Batch<unknown>, index: number): PgBatchError {
  const { code, reason, column, cause = error } = error
  return new PgBatchError(code, reason, { ...unsent(batch, index), column, cause })
}

/** The getter of a key threw, or a proxy does not list its keys, or was revoked. */
export function unreadableKeys(batch: Batch<unknown>, index: number, cause: unknown): PgBatchError {
  return new PgBatchError('ROW_INVALID', "The row's keys could not be read", {
    ...unsent(batch, index),
    cause,
  })
}

export function invalidRow(batch: Batch<unknown>, index: number, what: string): PgBatchError {
  const reason = `Expected an object with a key for each column, but the item ${what}`
  return new PgBatchError('ROW_INVALID', reason, unsent(batch, index))
}
