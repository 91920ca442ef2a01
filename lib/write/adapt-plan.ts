import { PgBatchError } from '../errors.ts'
import { withOutcome } from './faults/failure.ts'
import { isFinal } from './faults/is-final.ts'
import { columnChanges, tableChanged } from './faults/table-changed.ts'
import type { WritePlan } from './plan/plan.ts'
import { hasUnknownKey, prepareBatch } from './prepare/prepare-batch.ts'
import type { Batch } from './rows/batch.ts'
import { isBytesOnly } from './rows/batch.ts'
import type { FailedTransaction } from './transaction/transaction-result.ts'
import type { WriteContext } from './write-context.ts'

/**
 * Makes the plan anew after a failure that the table's definition may explain. Resolves to true when the same
 * rows can be tried again by another plan:
 *
 *     the option `evolve` has widened a column for them, or
 *     the table has another definition than the one that they were made for
 *
 * Rows that are held only as bytes can be written by a plan with wider types, and by no other.
 *
 * Resolves to an error that takes the place of the failure's: the table could not be altered or introspected,
 * and may be later, or rows that are held only as bytes do not fit the table any more.
 * @param hasReplanned the rows were made anew for another definition before
 * @throws the failure's error when a batch would lose all its rows to dropped columns
 */
export async function adaptPlan<Item>(
  failed: FailedTransaction<Item>,
  context: WriteContext<Item>,
  hasReplanned: boolean,
): Promise<boolean | PgBatchError> {
  // other writers may widen columns again and again
  const mayReplan = !hasReplanned || context.evolution !== undefined
  const adapted = (await widen(failed, context)) || (mayReplan && (await replan(failed, context)))
  return adapted === true ? canUse(context.current.plan, failed) : adapted
}

/** Returns true, or the error for a batch that is held as bytes which the plan cannot write. */
function canUse<Item>(now: WritePlan<Item>, failed: FailedTransaction<Item>): true | PgBatchError {
  const canWrite = failed.batches.every(batch => !isBytesOnly(batch) || prepareBatch(batch, now).plan === now)
  return canWrite || changesFrom(failed, now)
}

/** Makes the error that names what has changed since the rows were encoded. */
function changesFrom<Item>({ plan, error }: FailedTransaction<Item>, now: WritePlan<Item>): PgBatchError {
  const { outcome, cause } = error
  return tableChanged(now.table, columnChanges(plan.columns, now.columns), { outcome, cause })
}

/** Widens columns whose types do not hold a row's value, if the option `evolve` asks for it. */
async function widen<Item>(
  { error, rowsFault, plan, batches }: FailedTransaction<Item>,
  { evolution, budget }: WriteContext<Item>,
): Promise<boolean | PgBatchError> {
  if (!evolution || !rowsFault || isFinal(error)) return false
  try {
    return await evolution.widenTypes(batches, plan)
  } catch (thrown) {
    if (!(thrown instanceof PgBatchError)) throw thrown
    // a column that cannot be altered matters less than the row, if that may be rejected
    const matters = budget.left === 0 || isFinal(thrown)
    return matters && withOutcome(thrown, error.outcome)
  }
}

/** Introspects the table again, if its definition may be why the rows were refused. */
async function replan<Item>(
  failed: FailedTransaction<Item>,
  { current, budget, signals }: WriteContext<Item>,
): Promise<boolean | PgBatchError> {
  const { plan, batches, error, rowsFault } = failed
  if (isFinal(error) || (error.code !== 'TABLE_CHANGED' && error.code !== 'REFUSED')) return false
  const urgent = !rowsFault || budget.left === 0
  const withRows = batches.filter(({ prepared }) => prepared && prepared.groups.length > 0)
  const isReplaced = await current.replaces(plan, { urgent, stop: signals.stop }).catch(asError)
  if (isReplaced instanceof PgBatchError) {
    // a catalogue that cannot be read matters less than the failure, unless only the catalogue explains it
    return comesOfOldTypes(error) && withOutcome(isReplaced, error.outcome)
  }
  if (!isReplaced || plan.whyNoNewColumn) return isReplaced
  // thrown here, because each batch alone would be made by the new plan, which rejects all of its rows
  if (withRows.some(batch => losesAllRows(batch, current.plan))) {
    throw comesOfChange(error) ? changesFrom(failed, current.plan) : error
  }
  return isReplaced
}

/** A statement names a column that is not there. */
const UNDEFINED_COLUMN = '42703'

/** Returns true for a failure that a dropped column explains. */
function comesOfChange({ code, sqlState }: PgBatchError): boolean {
  return code === 'TABLE_CHANGED' || sqlState === UNDEFINED_COLUMN
}

/** Bytes of a binary COPY that do not have the length, or the form, of their column's type. */
const WRONG_BYTES: readonly (string | undefined)[] = ['08P01', '22P03']

/** Returns true for a failure of rows that were encoded for other types than the table has now. */
function comesOfOldTypes({ code, sqlState }: PgBatchError): boolean {
  return code === 'TABLE_CHANGED' || WRONG_BYTES.includes(sqlState)
}

function asError(error: unknown): PgBatchError | false {
  return error instanceof PgBatchError && error
}

function losesAllRows<Item>(batch: Batch<Item>, plan: WritePlan<Item>): boolean {
  const prepared = prepareBatch(batch, plan)
  return prepared.groups.length === 0 && hasUnknownKey(prepared, plan)
}
