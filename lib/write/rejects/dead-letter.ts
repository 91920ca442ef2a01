import { randomUUID } from 'node:crypto'
import { isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { PgBatchError } from '../../errors.ts'
import { DEAD_LETTER_COLUMNS, insertDeadLetters, insertLettersForFile } from '../../table/dead-letter-sql.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import type { ResolvedPosition } from '../checkpoint/position.ts'
import { safeJson } from './safe-json.ts'

/** A row that was refused for good, and why. */
export interface RejectedRow<Item = unknown> {
  /** What `toRow` made of the item; the item itself where it made nothing. */
  readonly row: unknown
  readonly item: Item
  /**
   * The row as text: for each column what would have been sent, or null; bytea as `\\x…`. A key that is missing in
   * the row is missing here, and a key that is not a column is here where it is why the row was rejected. Written again
   * as a row, it stores what the row would have stored. Empty where the item has no row.
   */
  readonly values: Readonly<Record<string, string | null>>
  /** Columns that are not in `values`, because theirs cannot be made into text, and what can be shown of each. */
  readonly withoutText: Readonly<Record<string, string>>
  /** With `operation`: the row was to be deleted, not written. */
  readonly operation?: 'delete' | undefined
  readonly error: PgBatchError
  readonly batchId: number
  /** Place in the array that was written, from 0. */
  readonly index: number
  /** Where the item stands in its source, with `checkpoint` or `position`. */
  readonly position?: ResolvedPosition | undefined
}

/** One rejected row as it is stored: the dead-letter table's columns, and the keys of NDJSON. `row` is JSON. */
export type DeadLetter = Record<Exclude<keyof typeof DEAD_LETTER_COLUMNS, 'row'>, string | number | null> & {
  readonly row: string
}

/** Makes the stored form of a rejected row. The server's own message may stand here, for the row stands here, too. */
export function toDeadLetter(reject: RejectedRow): DeadLetter {
  const { error, batchId, index, position } = reject
  return {
    batch_id: batchId,
    row_index: index,
    code: error.code,
    sqlstate: error.sqlState ?? null,
    message: isServerError(error.cause) ? error.cause.message : error.reason,
    column_name: error.column ?? null,
    constraint_name: error.constraint ?? null,
    source_partition: position?.partition ?? null,
    source_offset: position ? String(position.offset) : null,
    row: rowJson(reject),
  }
}

/** The key of the object that stands in a stored row for a value that has no text. */
export const NO_TEXT_KEY = 'pg_batch_no_text'

/** The key of a stored row that was to be deleted, for which no table has a column: nobody is to write it unawares. */
export const OPERATION_KEY = 'pg_batch_operation'

/**
 * The row, as JSON: its `values`, and for each column without text an object that says so, so that nobody takes the
 * column for a missing one. Of an item that has no row, the item, as far as JSON goes.
 */
function rowJson({ row, values = {}, withoutText = {}, operation }: RejectedRow): string {
  const marks = Object.entries(withoutText).map(([column, shown]) => [column, { [NO_TEXT_KEY]: shown }])
  const marked = operation ? [[OPERATION_KEY, operation]] : []
  const stored = Object.fromEntries([...Object.entries(values), ...marks, ...marked])
  return Object.keys(stored).length > 0 ? JSON.stringify(stored) : safeJson(row)
}

/** A line of NDJSON. */
export function deadLetterLine(letter: DeadLetter): string {
  return `${JSON.stringify({ ...letter, row: JSON.parse(letter.row) })}\n`
}

/** Where rejected rows are stored. */
export interface DeadLetterTable {
  readonly table: TableParts
  /** The file that they go on to, by its absolute path. */
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

/** PostgreSQL's text takes no NUL; JSON has it escaped, so only messages are concerned. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\\0') : value
}
