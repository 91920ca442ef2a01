import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import { mayTakeOtherKey, type SpecialKey } from '../../../table/merge/conflict.ts'
import { keyOrder } from '../../../table/merge/merge-once.ts'
import { parameterRows } from '../../../table/merge/merge-source.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowRef } from '../../rows/row-sender.ts'
import { arrayParameters, NotTogether, shapeNumbers } from '../insert/array-parameters.ts'

/**
 * Returns rows in the order of their keys, where nothing depends on their own order except among rows of one
 * key. Writers of the same keys then lock rows in one order, and do not deadlock while each has one batch in
 * its transaction. The server compares the keys, as only it knows which are equal.
 * @param out see `arrayParameters`
 */
export async function inKeyOrder(
  transaction: Transaction,
  plan: TablePlan,
  refs: readonly RowRef[],
  out: ByteBuffer | undefined,
): Promise<readonly RowRef[]> {
  const { merge, columns } = plan
  if (!merge || refs.length < 2 || !onlyKeysDecide(plan, refs)) return refs
  const { keys, special } = merge.conflict
  const source = parameterRows(merge, [{ number: 0, columns: special?.inputs ?? keys }])
  try {
    const { values } = arrayParameters(refs, source.columns, columns, out)
    const { rows } = await transaction.query(keyOrder(merge, source), [...values, shapeNumbers(refs)])
    const ordinals = (rows[0]!.ordinals as string).split(',')
    return ordinals.map(ordinal => refs[Number(ordinal)]!)
  } catch (error) {
    if (error instanceof NotTogether) return refs
    throw error
  }
}

/** Returns true where a row affects no row of another key, and no trigger or foreign key sees the order. */
function onlyKeysDecide({ merge, columns, selfReferences }: TablePlan, refs: readonly RowRef[]): boolean {
  const { keys, special, inOrder, oneByOne } = merge!.conflict
  const needed = special ? orderedBy(special) : keys
  const isOrdered = special ? special.isSeparate : !inOrder && keys.length > 0
  if (!isOrdered || oneByOne || selfReferences.length > 0) return false
  return [...new Set(refs.map(({ group }) => group.shape))].every(shape => {
    const names = shape.columns.map(index => columns[index]!.name)
    return needed.every(name => names.includes(name)) && !mayTakeOtherKey(merge!.conflict, names)
  })
}

/** Returns the columns that the order of special keys needs: a predicate alone does not change it. */
function orderedBy({ parts, inputs }: SpecialKey): readonly string[] {
  const names = parts.map(({ column }) => column)
  return names.every(name => name !== undefined && inputs.includes(name)) ? (names as string[]) : inputs
}
