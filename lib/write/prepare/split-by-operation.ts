import { PgBatchError } from '../../errors.ts'
import type { WritePlan } from '../plan/plan.ts'
import { type Batch, type InvalidItem, type RowGroup, unsent } from '../rows/batch.ts'
import { RowSet } from '../rows/row-set.ts'
import { askOperation, missingKey, type OperationError } from './operation.ts'

/**
 * Separates the rows that are upserted from those that are deleted. A delete needs only the values of its
 * key.
 */
export function splitByOperation<Item>(
  rows: RowSet,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  operation: (item: Item) => unknown,
  invalid: InvalidItem[],
): { upserts: RowSet; deletes: RowGroup[] } {
  const keys = plan.columns.filter(({ name }) => plan.conflict!.keys.includes(name))
  const groups = rows.groupBy((row, index) => {
    try {
      const answer = askOperation(operation, batch.items[index] as Item)
      const missing = answer === 'delete' ? missingKey(row, keys) : undefined
      if (!missing) return answer
      invalid.push({ index, row, isDelete: true, error: deleteWithoutKey(batch, index, missing) })
    } catch (error) {
      invalid.push({ index, row, error: operationFailed(batch, index, error as OperationError) })
    }
    return undefined
  })
  const deletes = groups.get('delete')
  return {
    upserts: groups.get('upsert') ?? new RowSet(),
    deletes: deletes ? [{ batch, shape: plan.shapes.deletes, rows: deletes }] : [],
  }
}

function deleteWithoutKey(
  batch: Batch<unknown>,
  index: number,
  { column, cause }: { column: string; cause?: unknown },
): PgBatchError {
  const reason = `The row is a delete, but has no value for the key's column ${JSON.stringify(column)}`
  return new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column, cause })
}

function operationFailed(batch: Batch<unknown>, index: number, error: OperationError): PgBatchError {
  const details = { ...unsent(batch, index), callback: 'operation', cause: error.cause }
  return new PgBatchError('CALLBACK_FAILED', `\`operation\` ${error.message}`, details)
}
