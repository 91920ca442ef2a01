import { PgBatchError } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'

/** Makes the error for a table whose columns have changed since rows were encoded for it. */
export function tableChanged(table: TableParts): PgBatchError {
  const name = quoteTable(table)
  const reason = `The columns of ${name} have changed since these rows were encoded: start a new stream`
  return new PgBatchError('TABLE_CHANGED', reason, { outcome: 'rolled-back' })
}
