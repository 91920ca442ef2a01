import { isServerError } from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { Merge, MergeShape, RowSource } from '../../../table/merge/merge.ts'
import { areApart, canBeApart } from '../../../table/merge/merge-apart.ts'
import { mergeLoop } from '../../../table/merge/merge-loop.ts'
import { deleteAll, insertAll, insertLast } from '../../../table/merge/merge-once.ts'
import { stagedRows } from '../../../table/merge/merge-source.ts'
import { countSteps, deleteFirst, deleteLast, insertLastUpserts } from '../../../table/merge/merge-steps.ts'
import {
  CARDINALITY_VIOLATION,
  endsAtFirstTurn,
  isRefusedTogether,
  type MergeStrategy,
  mayTakeOthers,
  mergeStrategy,
} from '../../../table/merge/merge-strategy.ts'
import { mergeLast, mergeTurn } from '../../../table/merge/merge-turns.ts'

/**
 * Up to this many turns, a statement for each is faster than a loop over the rest (measured on 100,000 rows).
 */
const MAX_TURNS = 4

/** Rows of a staging table, to be merged. */
export interface StagedRows {
  readonly staging: string
  readonly shapes: readonly MergeShape[]
  /** How many rows. */
  readonly count: number
}

/**
 * Moves staged rows into the target; resolves to how many of them have changed something there.
 * @throws the server's error about a row that it would also refuse alone
 */
export async function mergeStaged(
  transaction: Transaction,
  merge: Merge,
  { staging, shapes, count }: StagedRows,
): Promise<number> {
  const rows = { transaction, merge, source: stagedRows(merge, staging, shapes), count }
  const takesOthers = mayTakeOthers(merge, shapes) && !(await areKnownApart(rows))
  const strategy = mergeStrategy(merge, shapes, takesOthers)
  if (strategy.kind === 'one by one') return loop(rows, strategy.order, 1)
  if (!strategy.guarded) return together(rows, strategy)
  transaction.before('SAVEPOINT pg_batch_merge')
  try {
    return await together(rows, strategy)
  } catch (error) {
    if (!isServerError(error) || !isRefusedTogether(error.code)) throw error
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch_merge')
    const isEqualKey = strategy.kind === 'all' && error.code === CARDINALITY_VIOLATION
    return loop(rows, isEqualKey ? strategy.order : 'ordinal', 1)
  }
}

interface Rows {
  readonly transaction: Transaction
  readonly merge: Merge
  readonly source: RowSource
  readonly count: number
}

/** Resolves to true where no row needs the value of another unique key that another row frees. */
async function areKnownApart({ transaction, merge, source }: Rows): Promise<boolean> {
  if (!canBeApart(merge, source.shapes)) return false
  return (await transaction.query(areApart(merge, source))).rows[0]!.apart === 'true'
}

async function together(
  rows: Rows,
  strategy: Exclude<MergeStrategy, { kind: 'one by one' }>,
): Promise<number> {
  const { transaction, merge, source, count } = rows
  const [shape] = source.shapes
  switch (strategy.kind) {
    case 'all': {
      const text = shape!.deletes
        ? deleteAll(merge, source)
        : insertAll(merge, source, shape!, strategy.order)
      const { rowCount } = await transaction.query(text)
      return rowCount ?? count
    }
    case 'last':
      return (await last(rows)) ?? inTurns(rows)
    case 'steps':
      return (await steps(rows)) ?? loop(rows, 'ordinal', 1)
    case 'turns':
      return inTurns(rows)
  }
}

/** Resolves to undefined, with nothing written, where the server would refuse one of the rows. */
async function last({ transaction, merge, source, count }: Rows): Promise<number | undefined> {
  const [shape] = source.shapes
  if (source.shapes.length > 1) {
    const { rows } = await transaction.query(mergeLast(merge, source))
    const changed = rows[0]!.changed as string | null
    return changed === null ? undefined : Number(changed)
  }
  const { rowCount } = await transaction.query(insertLast(merge, source, shape!))
  return rowCount === 0 ? undefined : count // each row would have changed something if it was sent alone
}

async function inTurns(rows: Rows): Promise<number> {
  const { merge, source } = rows
  const [shape] = source.shapes
  const isInsert = source.shapes.length === 1 && !shape!.deletes && !merge.conflict.updateOnly
  return isInsert ? oneShape(rows, shape!) : turns(rows)
}

/**
 * Resolves to what one statement for each row would have changed: upserts, and deletes of a row that was
 * there. Resolves to undefined, with nothing written, where the server would refuse one of the rows.
 */
async function steps({ transaction, merge, source }: Rows): Promise<number | undefined> {
  const { rows } = await transaction.query(countSteps(merge, source))
  const { changed, undone, passed } = rows[0]!
  if (passed === 'false') return undefined
  const { rowCount: deleted } = await transaction.query(deleteFirst(merge, source))
  if (Number(undone) > 0) await transaction.query(deleteLast(merge, source))
  await transaction.query(insertLastUpserts(merge, source))
  return Number(changed) + (deleted ?? 0)
}

/** Writes all rows by one plain INSERT, which the server refuses with 21000 where two have the same key. */
async function oneShape(rows: Rows, shape: MergeShape): Promise<number> {
  const { transaction, merge, source, count } = rows
  transaction.before('SAVEPOINT pg_batch_once')
  try {
    const { rowCount } = await transaction.query(insertAll(merge, source, shape, 'key'))
    return rowCount ?? count
  } catch (error) {
    if (!isServerError(error) || error.code !== CARDINALITY_VIOLATION) throw error
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch_once')
    return turns(rows)
  }
}

async function turns(rows: Rows): Promise<number> {
  const { transaction, merge, source } = rows
  const ends = endsAtFirstTurn(merge, source.shapes)
  for (let turn = 1, changed = 0; ; turn++) {
    const { rows: results } = await transaction.query(mergeTurn(merge, source, turn))
    changed += Number(results[0]!.changed)
    const count = Number(results[0]!.turns)
    if (turn >= count || ends) return changed
    if (count > MAX_TURNS) return changed + (await loop(rows, 'key', turn + 1))
  }
}

async function loop(
  { transaction, merge, source }: Rows,
  order: 'ordinal' | 'key',
  fromTurn: number,
): Promise<number> {
  return changedBy(transaction, mergeLoop(merge, source, order, fromTurn))
}

/** Runs a statement that returns how many rows it has changed. */
async function changedBy(transaction: Transaction, text: string): Promise<number> {
  const { rows } = await transaction.query(text)
  return Number(rows[0]!.changed)
}
