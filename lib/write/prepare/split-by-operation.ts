import { PgBatchError } from '../../errors.ts'
import { askOperation, missingKey, type OperationError } from '../plan/operation.ts'
import type { WritePlan } from '../plan/plan.ts'
import { type Batch, type InvalidItem, type RowGroup, unsent } from '../rows/batch.ts'
import type { Rows } from '../rows/make-rows.ts'

/** Asks what each row is for. A delete needs no more than the values of its key. */
export function splitByOperation<Item>(
  { rows, indexes }: Rows,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  operation: (item: Item) => unknown,
  invalid: InvalidItem[],
): { upserts: Rows; deletes: RowGroup[] } {
  const upserts = { rows: [] as object[], indexes: [] as number[] }
  const deletes = { rows: [] as object[], indexes: [] as number[] }
  const keys = plan.shapes.deletes.columns.map(index => plan.columns[index]!)
  for (const [i, row] of rows.entries()) {
    const index = indexes ? indexes[i]! : i
    try {
      const isDelete = askOperation(operation, batch.items[index] as Item) === 'delete'
      const missing = isDelete ? missingKey(row, keys) : undefined
      if (missing) {
        invalid.push({ index, row, isDelete, error: deleteWithoutKey(batch, index, missing) })
        continue
      }
      const group = isDelete ? deletes : upserts
      group.rows.push(row)
      group.indexes.push(index)
    } catch (error) {
      invalid.push({ index, row, error: operationFailed(batch, index, error as OperationError) })
    }
  }
  return {
    upserts:
      upserts.rows.length === batch.items.length ? { rows: upserts.rows, indexes: undefined } : upserts,
    deletes: deletes.rows.length > 0 ? [{ batch, shape: plan.shapes.deletes, ...deletes }] : [],
  }
}

function deleteWithoutKey(
  batch: Batch<unknown>,
  index: number,
  { column, cause }: { column: string; cause?: unknown },
): PgBatchError {
  const reason = `The row is to be deleted, but has no value for the key's column ${JSON.stringify(column)}`
  return new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column, cause })
}

function operationFailed(batch: Batch<unknown>, index: number, error: OperationError): PgBatchError {
  const details = { ...unsent(batch, index), callback: 'operation', cause: error.cause }
  return new PgBatchError('CALLBACK_FAILED', `\`operation\` ${error.message}`, details)
}
