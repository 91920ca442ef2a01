import { PgBatchError } from '../../errors.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import { listColumns } from '../../values/names/list-names.ts'
import type { WriteRequest } from './write-request.ts'

/** How the action of each row is found out, where the caller wants to know it. */
export interface RowResultsPlan {
  /**
   * `counted`: every row is inserted, which the command tag proves by counting them all. `row by row`: each
   * row has a statement of its own.
   */
  readonly by: 'counted' | 'row by row'
  /** Rows of one shape may go by one MERGE, whose RETURNING names the row that each result belongs to. */
  readonly mayMerge: boolean
  readonly returning: readonly string[]
}

/**
 * Plans how the action of each row is found out. A plain row is inserted unless a trigger for each row or a
 * rule drops it.
 * @throws PgBatchError for columns that the table does not have
 */
export function planRowResults<Item>(
  { rowResults, onConflict }: WriteRequest<Item>,
  table: Table | undefined,
): RowResultsPlan | undefined {
  if (!rowResults) return undefined
  const { returning } = rowResults
  const isPlain = !onConflict && returning.length === 0
  if (!table) {
    if (isPlain) return { by: 'counted', mayMerge: false, returning }
    const reason = 'PgRowWriter needs the catalogue of PostgreSQL for upserts and `returning`'
    throw new PgBatchError('REFUSED', `${reason}, which this database lacks`, { outcome: 'not-sent' })
  }
  for (const name of returning) {
    if (table.columns.some(column => column.name === name)) continue
    const all = listColumns(table.columns.map(column => column.name))
    const where = `which is not a column of ${quoteTable(table)}: ${all}`
    const reason = `\`returning\` names ${JSON.stringify(name)}, ${where}`
    throw new PgBatchError('COLUMN_NOT_FOUND', reason, { outcome: 'not-sent', column: name })
  }
  const isCounted = isPlain && storesEveryRow(table)
  const mayMerge =
    !onConflict && isOrdinary(table) && table.mergeReturns === true && !table.copyObstacle && !table.isCitus
  return { by: isCounted ? 'counted' : 'row by row', mayMerge, returning }
}

/** Returns true when an INSERT or a COPY stores each of its rows or fails: nothing can drop a row. */
export function storesEveryRow(table: Table): boolean {
  return isOrdinary(table) && !table.changesRows && !table.copyObstacle
}

function isOrdinary({ kind }: Table): boolean {
  return kind === 'table' || kind === 'partitioned'
}
