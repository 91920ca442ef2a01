import { PgBatchError } from '../../errors.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Conflict } from '../../table/merge/conflict.ts'
import type { CopyFormat, Method, Table } from '../../types.ts'
import { notFound, type PlannedColumn } from './planned-columns.ts'
import type { WriteRequest } from './write-request.ts'

/** How rows are sent. */
export interface WayToSend {
  readonly method: Method
  readonly copyFormat: CopyFormat
}

/**
 * Chooses how rows are sent, as the caller asks for it and as the table permits.
 * @throws PgBatchError where the table cannot be written as the caller asks
 */
export function chooseWay<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  columns: readonly PlannedColumn[],
  conflict: Conflict | undefined,
): WayToSend {
  const method = chooseMethod(request, table, columns)
  if (method === 'insert') return { method, copyFormat: 'text' }
  // Citus 13.2.2 refuses binary rows that come through a staging table (22P02)
  const avoidsBinary = (table?.isCitus && conflict) || splitsJudgement(request, table)
  const format = avoidsBinary && request.copyFormat === 'auto' ? 'text' : request.copyFormat
  return { method, copyFormat: chooseFormat(format, columns) }
}

function chooseMethod<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  columns: readonly PlannedColumn[],
): Method {
  if (!table || columns.length === 0) return 'insert'
  if (request.method === 'insert') return 'insert'
  const obstacle = copyObstacleOf(table, request.onConflict !== undefined)
  if (request.method === 'auto' && (obstacle || columns.some(isRestrictedInterval))) return 'insert'
  if (!obstacle) return request.method
  const advice = "use `method: 'auto'` or 'insert'"
  const reason = `${quoteTable(table)} cannot be written by COPY (${obstacle}): ${advice}`
  throw new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

/**
 * Returns true for a column such as `interval minute to second`. COPY reads '04:05' there as minutes and
 * seconds, but INSERT as hours and minutes, because the type of a parameter has no fields. `auto` then uses
 * INSERT, as `pg` does.
 */
function isRestrictedInterval({ known }: PlannedColumn): boolean {
  return known !== undefined && /^interval [a-z]/.test(known.column.sqlType)
}

function chooseFormat(format: CopyFormat, columns: readonly PlannedColumn[]): CopyFormat {
  const without = columns.find(column => !column.known!.codec.binary)
  if (!without || format === 'text') return format
  if (format === 'auto') return 'text'
  throw notFound(
    `Column ${JSON.stringify(without.name)} of type ${without.known!.column.type.sqlName} ` +
      "has no binary form here: use `copyFormat: 'auto'` or 'text'",
    without.name,
  )
}

/** Returns how rows that lack different columns share a COPY, see `TablePlan.mixesShapes`. */
export function chooseMixing<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  copyFormat: CopyFormat,
): 'always' | 'some' | 'never' {
  // the marker exists in text only
  const marks = table?.copiesDefaults && !table.isCitus && !request.json && copyFormat !== 'binary'
  if (!marks) return 'never'
  return splitsJudgement(request, table) ? 'always' : 'some'
}

/**
 * Returns true when a binary COPY could be wrong in a single transaction: a value without a binary form ends
 * it, and the server would check rows that refer to later rows of the table too early.
 */
function splitsJudgement<Item>(
  { singleTransaction, replace }: WriteRequest<Item>,
  table: Table | undefined,
): boolean {
  return singleTransaction === true && !replace && (table?.selfReferences.length ?? 0) > 0
}
