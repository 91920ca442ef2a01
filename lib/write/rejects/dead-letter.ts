import { randomUUID } from 'node:crypto'
import { isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { PgBatchError } from '../../errors.ts'
import { DEAD_LETTER_COLUMNS, insertDeadLetters, insertLettersForFile } from '../../table/dead-letter-sql.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import type { ResolvedPosition } from '../checkpoint/position.ts'
import { serverMessage } from '../faults/server-message.ts'
import { safeJson } from './safe-json.ts'

/** A row that was permanently rejected, and why. */
export interface RejectedRow<Item = unknown> {
  /** What `toRow` made of the item; the item itself where `toRow` made nothing. */
  readonly row: unknown
  readonly item: Item
  /**
   * The row as text: for each column what would have been sent, or null; bytea as `\\x…`. A key that the row
   * lacks is not here either; an unknown key is here if it is why the row was rejected. Written again as a
   * row, these values store what the row would have stored. Empty when the item has no row.
   */
  readonly values: Readonly<Record<string, string | null>>
  /**
   * Columns that are not in `values` because theirs have no text form, each with what can be shown of its
   * value.
   */
  readonly withoutText: Readonly<Record<string, string>>
  /** With `operation`: the row was to be deleted, not written. */
  readonly operation?: 'delete' | undefined
  readonly error: PgBatchError
  readonly batchId: number
  /** Index in the array that was written, from 0. */
  readonly index: number
  /** The item's position in its source, with `checkpoint` or `position`. */
  readonly position?: ResolvedPosition | undefined
}

/**
 * One rejected row as it is stored: the columns of the dead-letter table are the keys of NDJSON. `row` is
 * JSON.
 */
export type DeadLetter = Record<Exclude<keyof typeof DEAD_LETTER_COLUMNS, 'row'>, string | number | null> & {
  readonly row: string
}

/**
 * Makes the stored form of a rejected row. It may hold the server's own message, which may quote values: the
 * row's values are stored beside it anyway.
 */
export function toDeadLetter(reject: RejectedRow): DeadLetter {
  const { error, batchId, index, position } = reject
  return {
    batch_id: batchId,
    row_index: index,
    code: error.code,
    sqlstate: error.sqlState ?? null,
    message: isServerError(error.cause) ? serverMessage(error.cause) : error.reason,
    column_name: error.column ?? null,
    constraint_name: error.constraint ?? null,
    source_partition: position?.partition ?? null,
    source_offset: position ? String(position.offset) : null,
    row: rowJson(reject),
  }
}

/** The key of the object that replaces a value without a text form. */
export const NO_TEXT_KEY = 'pg_batch_no_text'

/**
 * The key that marks a stored row as a delete. No table has such a column, so the row is not written by
 * accident.
 */
export const OPERATION_KEY = 'pg_batch_operation'

/**
 * Returns the row as JSON: its `values`, and for each column without a text form an object that says so, to
 * distinguish it from a missing column. For an item without a row, the item as far as JSON can express it.
 */
function rowJson({ row, values = {}, withoutText = {}, operation }: RejectedRow): string {
  const marks = Object.entries(withoutText).map(([column, shown]) => [column, { [NO_TEXT_KEY]: shown }])
  const marked = operation ? [[OPERATION_KEY, operation]] : []
  const stored = Object.fromEntries([...Object.entries(values), ...marks, ...marked])
  return Object.keys(stored).length > 0 ? JSON.stringify(stored) : safeJson(row)
}

/** Returns a line of NDJSON. */
export function deadLetterLine(letter: DeadLetter): string {
  return `${JSON.stringify({ ...letter, row: JSON.parse(letter.row) })}\n`
}

/** Where rejected rows are stored. */
export interface DeadLetterTable {
  readonly table: TableParts
  /** The file that they are moved to, by its absolute path. */
  readonly file: string | undefined
}

/** Stores rejected rows in a table, in the transaction of the rows that were not rejected. */
export async function storeDeadLetters(
  transaction: Transaction,
  { table, file }: DeadLetterTable,
  target: TableParts,
  rejected: readonly RejectedRow[],
): Promise<void> {
  const letters = rejected.map(toDeadLetter)
  const columns = Object.keys(DEAD_LETTER_COLUMNS) as (keyof DeadLetter)[]
  const arrays = columns.map(column => letters.map(letter => withoutNul(letter[column])))
  transaction.proveBefore()
  const { proof } = transaction
  if (file === undefined) {
    await transaction.query(insertDeadLetters(table, proof), [quoteTable(target), ...arrays])
    return
  }
  const ids = rejected.map(() => randomUUID())
  await transaction.query(insertLettersForFile(table, proof), [quoteTable(target), file, ids, ...arrays])
}

/** PostgreSQL's text cannot hold a NUL. JSON escapes it, so this is only for messages. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\\0') : value
}
