import { isServerError } from '../../connection/server-error.ts'
import { PgBatchError } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { TABLE_CHANGED_SETTING } from '../../table/statements.ts'

/** Makes the error for a table whose columns have changed since rows were encoded for it. */
export function tableChanged(table: TableParts): PgBatchError {
  const name = quoteTable(table)
  const reason = `The columns of ${name} have changed since these rows were encoded: start a new stream`
  return new PgBatchError('TABLE_CHANGED', reason, { outcome: 'rolled-back' })
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
