import { PgBatchError, type PgBatchErrorCode } from '../errors.ts'
import { type Batch, type InvalidItem, placeOfItem } from './batch.ts'

/** Rows, and the indexes of their items where those are not the same. */
export interface Rows {
  rows: readonly object[]
  indexes: readonly number[] | undefined
}

export function checkItems<Item>(batch: Batch<Item>, invalid: InvalidItem[]): Rows {
  if (batch.items.every(isRow)) return { rows: batch.items as readonly object[], indexes: undefined }
  return collect(batch.count, invalid, index => {
    const item: unknown = batch.items[index]
    if (isRow(item)) return item
    throw invalidRow(batch, index, `is ${describe(item)}`)
  })
}

export function mapItems<Item>(
  batch: Batch<Item>,
  toRow: (item: Item) => unknown,
  invalid: InvalidItem[],
): Rows {
  return collect(batch.count, invalid, index => {
    const row = callToRow(batch, index, toRow)
    if (row === null || row === undefined) return undefined
    if (row instanceof Promise) {
      row.catch(() => {}) // nobody else waits for it
      throw invalidRow(batch, index, 'became a Promise: `toRow` has to be synchronous')
    }
    if (isRow(row)) return row
    throw invalidRow(batch, index, `became ${describe(row)} by \`toRow\``)
  })
}

/** Collects what `make` returns, and lists what it throws. */
function collect(count: number, invalid: InvalidItem[], make: (index: number) => object | undefined): Rows {
  const rows: object[] = []
  const indexes: number[] = []
  for (let index = 0; index < count; index++) {
    try {
      const row = make(index)
      if (row === undefined) continue
      rows.push(row)
      indexes.push(index)
    } catch (error) {
      invalid.push({ index, error: error as PgBatchError })
    }
  }
  return { rows, indexes: rows.length < count ? indexes : undefined }
}

function isRow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function callToRow<Item>(batch: Batch<Item>, index: number, toRow: (item: Item) => unknown): unknown {
  try {
    return toRow(batch.items[index] as Item)
  } catch (cause) {
    const rowIndex = placeOfItem(batch, index)
    if (cause instanceof PgBatchError && REJECTS.has(cause.code)) throw placed(cause, batch, rowIndex)
    throw new PgBatchError('CALLBACK_FAILED', `\`toRow\` threw for row ${rowIndex} of batch ${batch.id}`, {
      outcome: 'not-sent',
      batchId: batch.id,
      rowIndex,
      cause,
    })
  }
}

/** By these codes `toRow` says itself that an item is to be rejected, and why. */
const REJECTS: ReadonlySet<PgBatchErrorCode> = new Set(['ROW_INVALID', 'VALUE_NOT_ENCODABLE'])

/** The same, with the item's place. */
function placed(error: PgBatchError, batch: Batch<unknown>, rowIndex: number): PgBatchError {
  const { code, message, column, cause = error } = error
  const text = `${message} [row ${rowIndex}, batch ${batch.id}]`
  return new PgBatchError(code, text, { outcome: 'not-sent', batchId: batch.id, rowIndex, column, cause })
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}

function invalidRow(batch: Batch<unknown>, index: number, what: string): PgBatchError {
  const rowIndex = placeOfItem(batch, index)
  return new PgBatchError(
    'ROW_INVALID',
    `Expected an object with a key for each column, but row ${rowIndex} of batch ${batch.id} ${what}`,
    { outcome: 'not-sent', batchId: batch.id, rowIndex },
  )
}
