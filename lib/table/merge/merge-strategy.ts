import { mayTakeOtherKey } from './conflict.ts'
import { joinCount, keepsStored, type Merge, type MergeShape, updatedBy } from './merge.ts'
import { canJudge } from './merge-judge.ts'

/**
 * How rows are merged: by one INSERT or DELETE of all rows, or of the last row of each key; in steps, each of
 * them a statement; turn by turn; or one by one. `guarded`: the server may refuse this although one by one
 * would work (a trigger makes keys equal, a DEFAULT is another row's key, rows exchange the values of a
 * second unique key), so that it needs a savepoint.
 */
export type MergeStrategy =
  | { readonly kind: 'all'; readonly order: 'ordinal' | 'key'; readonly guarded: boolean }
  | { readonly kind: 'last' | 'turns'; readonly guarded: boolean }
  | { readonly kind: 'steps'; readonly guarded: boolean }
  | { readonly kind: 'one by one'; readonly order: 'ordinal' | 'key' }

/** With more shapes than this, the server takes longer to plan the statement than to run it. */
export const MAX_SHAPES_OF_A_TURN = 32

/** Returns true where a row may need the value of another unique key that another row frees. */
export function mayTakeOthers({ conflict }: Merge, shapes: readonly MergeShape[]): boolean {
  return shapes.some(({ deletes, columns }) => !deletes && mayTakeOtherKey(conflict, columns))
}

/**
 * Returns the fastest strategy that leaves the same rows as one statement for each row in their order.
 * @param takesOthers a row may need the value of another unique key that another row frees
 */
export function mergeStrategy(
  merge: Merge,
  shapes: readonly MergeShape[],
  takesOthers = mayTakeOthers(merge, shapes),
): MergeStrategy {
  const { keys, inOrder, oneByOne, severalKeys, updateOnly, lateKeys, uniqueDefaults } = merge.conflict
  if (oneByOne) return { kind: 'one by one', order: 'ordinal' }
  const [only] = shapes.length === 1 ? shapes : []
  const lacksKey = shapes.some(shape => !keys.every(key => shape.columns.includes(key)))
  const byOrdinal = inOrder || keys.length === 0 || lacksKey
  const insert = updateOnly ? undefined : only
  if (insert && keepsStored(merge, insert)) {
    return { kind: 'all', order: byOrdinal ? 'ordinal' : 'key', guarded: false }
  }
  if (takesOthers && lateKeys) return { kind: 'one by one', order: 'ordinal' }
  if (insert && (byOrdinal || takesOthers) && !insert.deletes) {
    const isByKey = isSeparate(merge, insert) && !takesOthers
    return { kind: 'all', order: isByKey ? 'key' : 'ordinal', guarded: true }
  }
  const deletes = shapes.some(shape => shape.deletes)
  // a DEFAULT that differs for each row equals another row's key only by chance
  const unclear = lacksKey && (deletes || !uniqueDefaults)
  if (inOrder || keys.length === 0 || unclear || takesOthers) return { kind: 'one by one', order: 'ordinal' }
  const last = !lacksKey && overwritesEarlier(merge, shapes)
  const guarded = lacksKey || severalKeys
  if (!merge.writesTwice && !(only && last)) return plainStrategy(merge, shapes, last, guarded)
  // an update-only has a statement for each shape and way to join
  const parts = updateOnly ? shapes.length * joinCount(merge.conflict) : shapes.length
  if (parts > MAX_SHAPES_OF_A_TURN) {
    return { kind: 'one by one', order: guarded ? 'ordinal' : 'key' }
  }
  return { kind: last ? 'last' : 'turns', guarded }
}

/** Returns true where the special key of a row alone decides what the row does. */
function isSeparate({ conflict: { special } }: Merge, { columns }: MergeShape): boolean {
  return special?.isSeparate === true && special.inputs.every(input => columns.includes(input))
}

/** The same, for servers where a statement can neither write the table twice nor lock its rows. */
function plainStrategy(
  { conflict }: Merge,
  shapes: readonly MergeShape[],
  last: boolean,
  guarded: boolean,
): MergeStrategy {
  const [only] = shapes.length === 1 ? shapes : []
  if (only?.deletes) return { kind: 'all', order: 'key', guarded: false }
  if (only && !conflict.updateOnly) return { kind: 'all', order: 'ordinal', guarded: true }
  return last ? { kind: 'steps', guarded } : { kind: 'one by one', order: guarded ? 'ordinal' : 'key' }
}

/**
 * Returns true when the last row of a key overwrites everything of earlier ones, or a delete has removed it,
 * and the earlier ones can be judged without being written.
 */
function overwritesEarlier(merge: Merge, shapes: readonly MergeShape[]): boolean {
  const { conflict } = merge
  const { foldable, judgement, computed, newerBy, onlyIfChanged, where, updateOnly } = conflict
  const depends = computed.length > 0 || newerBy !== undefined || onlyIfChanged || where !== undefined
  if (depends || updateOnly || !foldable) return false
  const [upsert, another] = shapes.filter(shape => !shape.deletes)
  if (!upsert || another || !canJudge(merge, upsert)) return false
  // rows that set nothing change something only where their key is not stored
  if (updatedBy(merge, upsert).length === 0) return false
  // for a row that the same batch deletes, the server looks for no partition
  const { isReferenced, mayLackPartition, hasPartition } = judgement!
  if (shapes.length > 1 && (isReferenced || (mayLackPartition && hasPartition === null))) return false
  // Citus does not join every table in a statement that writes
  if (!merge.writesTwice && judgement!.foreignKeys.length > 0) return false
  const { columns } = upsert
  const setsAll = columns.every(column => conflict.keys.includes(column) || conflict.update.includes(column))
  return setsAll && (shapes.length === 1 || columns.length === conflict.columnCount)
}

/**
 * Returns true where no turn follows the first: DO NOTHING writes the rows of all of them with it, and a
 * deleted row cannot be deleted again.
 */
export function endsAtFirstTurn({ conflict }: Merge, shapes: readonly MergeShape[]): boolean {
  if (conflict.action === 'nothing') return true
  return conflict.newerBy === undefined && shapes.every(shape => shape.deletes)
}

/** Two rows of one command have one key. */
export const CARDINALITY_VIOLATION = '21000'

/** SQLSTATEs with which the server refuses rows that it may accept one by one. */
const REFUSALS = {
  [CARDINALITY_VIOLATION]: 'cardinality_violation',
  '23505': 'unique_violation',
  '23P01': 'exclusion_violation',
}

export function isRefusedTogether(sqlState: string): boolean {
  return sqlState in REFUSALS
}
