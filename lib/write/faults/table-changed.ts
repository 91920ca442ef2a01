import { isServerError } from '../../connection/server-error.ts'
import { PgBatchError, type PgBatchErrorDetails } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { TABLE_CHANGED_SETTING } from '../../table/statements.ts'
import { listNames } from '../../values/names/list-names.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'

/**
 * Makes the error for a table whose columns have changed since rows were encoded for it.
 * @param changes what has changed, where that is known
 */
export function tableChanged(
  table: TableParts,
  changes: readonly string[] = [],
  details: Pick<PgBatchErrorDetails, 'outcome' | 'cause'> = { outcome: 'rolled-back' },
): PgBatchError {
  const what = changes.length === 0 ? '' : `: ${listNames(changes)}`
  const have = `The columns of ${quoteTable(table)} have changed since these rows were encoded`
  const reason = `${have}${what}. ${NEW_STREAM}`
  return new PgBatchError('TABLE_CHANGED', reason, details)
}

/** The advice to users of the library. */
export const NEW_STREAM = 'Start a new stream'

/** Says how the columns that rows were encoded for differ from those that the table has now. */
export function columnChanges(
  encoded: readonly PlannedColumn[],
  columns: readonly PlannedColumn[],
): string[] {
  const now = new Map(columns.map(column => [column.name, column.known?.column.sqlType]))
  return encoded.flatMap(({ name, known }) => {
    const quoted = JSON.stringify(name)
    if (!now.has(name)) return [`${quoted} is missing`]
    const [before, after] = [known?.column.sqlType, now.get(name)]
    return before === after ? [] : [`${quoted} is ${after}, and was ${before}`]
  })
}

/**
 * Makes the error for a key that comes when a transaction of the whole input has begun, whose locks keep the
 * table as it is. After the rollback the table gets the column, so that the same input can be written then.
 */
export function newKeyTooLate(batchId: number): PgBatchError {
  const reason =
    'A row has a new key, and the table cannot change within a single transaction. ' +
    'Its column was added after the rollback: read the source again'
  return new PgBatchError('TABLE_CHANGED', reason, { outcome: 'rolled-back', retryable: true, batchId })
}

/** Returns the error of a changed table where a check of ours has found that, or the same error. */
export function explainChange(error: unknown, table: TableParts): unknown {
  const isCheck = isServerError(error) && error.message.includes(TABLE_CHANGED_SETTING)
  return isCheck ? tableChanged(table) : error
}
