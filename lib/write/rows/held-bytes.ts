import { CsvRecord } from '../../csv/record.ts'
import { JsonRecord } from '../../json/record.ts'
import { sizeOfValue } from '../../values/size-of-value.ts'
import type { Batch } from './batch.ts'

/**
 * Returns about how many bytes the rows of a batch take, those that cannot be sent included: of its items
 * where its rows are not made yet.
 */
export function heldBytes(batch: Batch<unknown>): number {
  let bytes = 0
  if (batch.made) for (const [row] of batch.made.rows) bytes += sizeOfRow(row)
  else for (const item of batch.table ?? batch.items) bytes += sizeOfRow(item)
  return bytes
}

/** Returns about how many bytes a row takes. */
export function sizeOfRow(row: unknown): number {
  if (row instanceof CsvRecord) return row.end - row.start
  if (row instanceof JsonRecord) return row.byteLength
  if (typeof row !== 'object' || row === null) return sizeOfValue(row)
  let size = 0
  try {
    // a class may have getters for columns
    for (const key in row) size += sizeOfValue((row as Record<string, unknown>)[key])
  } catch {
    // a getter throws, for which the row is going to be rejected
  }
  return size
}
