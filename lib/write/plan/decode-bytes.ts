import { PgBatchError } from '../../errors.ts'
import type { PgType } from '../../types.ts'
import { type BytesText, bytesTextOf, readBytesText } from '../../values/bytes-text.ts'
import { type Batch, type InvalidItem, unsent } from '../rows/batch.ts'
import { RowSet } from '../rows/row-set.ts'
import type { PlannedColumn } from './planned-columns.ts'

/** Returns the names of the bytea columns, including arrays and domains of bytea. */
export function bytesColumns(columns: readonly PlannedColumn[]): string[] {
  return columns.filter(({ known }) => known && holdsBytes(known.column.type)).map(({ name }) => name)
}

function holdsBytes({ base, element, builtIn, name }: PgType): boolean {
  const inner = base ?? element
  return inner ? holdsBytes(inner) : builtIn && name === 'bytea'
}

/**
 * Decodes the strings of change events that go to bytea columns. Rows that do not say how their bytes are
 * written are listed as invalid: stored as they are, they would be the bytes of the base64 text.
 */
export function decodeBytes(
  rows: RowSet,
  batch: Batch<unknown>,
  columns: readonly string[],
  invalid: InvalidItem[],
): RowSet {
  if (columns.length === 0 || !rows.some(row => bytesTextOf(row) !== undefined)) return rows
  const decoded = new RowSet()
  for (const [row, index] of rows) {
    try {
      decoded.add(decodeRow(row, columns, batch, index), index)
    } catch (error) {
      invalid.push({ index, row, error: error as PgBatchError })
    }
  }
  return decoded
}

function decodeRow(row: object, columns: readonly string[], batch: Batch<unknown>, index: number): object {
  const form = bytesTextOf(row)
  if (form === undefined) return row
  const decoded: Record<string, unknown> = { ...row }
  for (const column of columns.filter(name => Object.hasOwn(row, name))) {
    const bytes = decodeValue(decoded[column], form)
    if (bytes === undefined) throw notBytes(column, form, batch, index)
    // not by assignment, because a column may be called __proto__
    Object.defineProperty(decoded, column, {
      value: bytes,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return decoded
}

/** Returns undefined for a string that is not in this form. */
function decodeValue(value: unknown, form: BytesText | 'unknown'): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(element => decodeValue(element, form))
    return elements.includes(undefined) ? undefined : elements
  }
  if (typeof value !== 'string') return value ?? null
  if (value.startsWith('\\x')) return value // PostgreSQL's own form, which Debezium does not use
  return form === 'unknown' ? undefined : readBytesText(value, form)
}

function notBytes(column: string, form: string, batch: Batch<unknown>, index: number): PgBatchError {
  const name = JSON.stringify(column)
  const reason =
    form === 'unknown'
      ? `Column ${name} takes bytes, and the change event does not say how its text encodes them: set the ` +
        'option `binaryHandlingMode` of fromDebezium to the `binary.handling.mode` of the connector'
      : `Column ${name} takes bytes, and the text of the change event is not ${form}: check ` +
        'the option `binaryHandlingMode` of fromDebezium'
  return new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column })
}
