import { PgBatchError } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'

/** The table is no longer the one that rows were encoded for. What was sent is rolled back, and may be sent anew. */
export function tableChanged(table: TableParts): PgBatchError {
  const reason = `The columns of ${quoteTable(table)} have changed since these rows were encoded: start a new stream`
  return new PgBatchError('TABLE_CHANGED', reason, { outcome: 'rolled-back' })
}
