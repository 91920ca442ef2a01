import { inspect } from 'node:util'
import { isServerError } from '../connection/server-error.ts'
import type { Transaction } from '../connection/transaction.ts'
import type { PgBatchError } from '../errors.ts'
import { DEAD_LETTER_COLUMNS, insertDeadLetters } from '../table/dead-letter-sql.ts'
import { quoteTable, type TableParts } from '../table/identifier.ts'
import type { KnownPosition } from './checkpoint.ts'

/** A row that was refused for good, and why. */
export interface RejectedRow<Item = unknown> {
  /** What `toRow` made of the item; the item itself where it made nothing. */
  readonly row: unknown
  readonly item: Item
  readonly error: PgBatchError
  readonly batchId: number
  /** Place in the array that was written, from 0. */
  readonly index: number
  /** Where the item stands in its source, with `checkpoint` or `position`. */
  readonly position?: KnownPosition | undefined
}

/** One rejected row as it is stored: the dead-letter table's columns, and the keys of NDJSON. */
export type DeadLetter = Record<keyof typeof DEAD_LETTER_COLUMNS, unknown>

/** Makes the stored form of a rejected row. The server's own message may stand here, for the row stands here, too. */
export function toDeadLetter({ row, error, batchId, index, position }: RejectedRow): DeadLetter {
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
    row,
  }
}

/** A line of NDJSON. What JSON cannot say of the row takes nothing from the rest. */
export function deadLetterLine(letter: DeadLetter): string {
  return `${JSON.stringify({ ...letter, row: JSON.parse(safeJson(letter.row)) })}\n`
}

/** JSON of anything: what JSON cannot say is said as text, since a rejected row may be the one that JSON could not say. */
export function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, plainValue) ?? 'null'
  } catch {
    return JSON.stringify(inspect(value, { depth: 4 }))
  }
}

function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value
}

/** Stores rejected rows in a table, in the transaction of the rows that were not rejected. */
export async function storeDeadLetters(
  transaction: Transaction,
  table: TableParts,
  target: TableParts,
  rejected: readonly RejectedRow[],
): Promise<void> {
  const letters = rejected.map(reject => toDeadLetter({ ...reject, row: safeJson(reject.row) }))
  const columns = Object.keys(DEAD_LETTER_COLUMNS) as (keyof DeadLetter)[]
  const arrays = columns.map(column => letters.map(letter => withoutNul(letter[column])))
  await transaction.query(insertDeadLetters(table), [quoteTable(target), ...arrays])
}

/** PostgreSQL's text takes no NUL; JSON has it escaped, so only messages are concerned. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\\0') : value
}
