import { PgBatchError } from '../errors.ts'
import { quoteTable, type TableParts } from '../table/identifier.ts'

/** The table is not the one any more that rows were encoded for. What was sent is rolled back. */
export function tableChanged(table: TableParts): PgBatchError {
  const reason = `The columns of ${quoteTable(table)} have changed since this stream learnt their types: start a new one`
  return new PgBatchError('TABLE_CHANGED', reason, { outcome: 'rolled-back' })
}
