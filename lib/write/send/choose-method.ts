import { MAX_SHAPES_OF_A_TURN } from '../../table/merge/merge-strategy.ts'
import type { Method } from '../../types.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import { countRows, type RowGroup } from '../rows/batch.ts'
import { mixedGroup } from '../rows/rows-in-order.ts'

/**
 * From this many rows on, an upsert by COPY, staging table and merge is faster than by INSERT. A single batch
 * on loopback takes 1.13 times INSERT's time at 50 rows, 1.00 at 75, 0.91 at 100, 0.76 at 200, 0.62 at 500
 * (bench/write-grid). Both wait for the same number of round trips (bench/round-trips), so that a network
 * changes nothing.
 */
const UPSERT_BY_COPY_FROM_ROWS = 100

/**
 * An upsert with more shapes than one statement merges, and fewer rows per shape than this, goes by INSERT, a
 * statement for each row. The merge would be a loop on the server, which plans a statement for each shape:
 * 3,000 rows with as many shapes of 24 columns took 2.1 to 3.3 times as long that way.
 */
const UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE = 3

/**
 * From this many rows of a shape on, COPY is faster where a batch has several shapes: each shape needs its
 * own COPY, while one INSERT takes rows of all shapes. This many rows make up for a round trip of 0.4 ms.
 * Plain rows of a single shape always go by COPY: it takes 0.73 of INSERT's time for one row, 0.49 for 50,
 * 0.28 for 500, and further batches join it without a round trip (bench/write-grid).
 */
const MIXED_COPY_FROM_ROWS = 50

/**
 * With more shapes than this, those of few rows go by INSERT even with `method: 'copy'`: a COPY per row would
 * crawl.
 */
const MAX_SHAPES_BY_COPY = 16

/** What the choice depends on in the plan. */
export type MethodPlan = Pick<
  TablePlan,
  'conflict' | 'replacement' | 'selfReferences' | 'ordersRows' | 'mixesShapes' | 'shapes'
>

/** What the choice depends on beside the plan and the rows of the batch. */
export interface MethodContext {
  /** The method that the caller wants; `auto` leaves the choice. */
  readonly wanted: Method
  /** The method of the rows before, whose sender takes further rows. */
  readonly current: 'copy' | 'insert' | undefined
  /** How many rows the transaction has sent so far. */
  readonly sentRows: number
  /** The batch is sent in pieces, to find its bad rows. */
  readonly inPieces: boolean
}

/** The rows of a batch by the method that sends them. */
export interface RowsByMethod {
  readonly copy: readonly RowGroup[]
  readonly insert: readonly RowGroup[]
}

/** Chooses the method for each group of a batch. COPY has no syntax for rows without columns. */
export function chooseMethods(
  groups: readonly RowGroup[],
  plan: MethodPlan,
  context: MethodContext,
): RowsByMethod {
  const { conflict, replacement, selfReferences, ordersRows, mixesShapes } = plan
  const { wanted } = context
  if (conflict) {
    return upsertMethod(groups, plan, context) === 'copy'
      ? { copy: groups, insert: [] }
      : { copy: [], insert: groups }
  }
  // rows may refer to rows of another shape, and the check of foreign keys at the end of each COPY would be
  // too early
  if (!replacement && selfReferences.length > 0) {
    if (mixesShapes === 'always' && wanted !== 'insert') return { copy: [mixed(groups, plan)], insert: [] }
    if (groups.length > 1) return mixIfWorthIt(groups, plan, wanted)
  }
  if (ordersRows && groups.length > 1) return mixIfWorthIt(groups, plan, wanted)
  const takesAll = groups.length === 1 || (wanted === 'copy' && groups.length <= MAX_SHAPES_BY_COPY)
  const suitsCopy = ({ shape, rows }: RowGroup): boolean =>
    wanted !== 'insert' && shape.columns.length > 0 && (takesAll || rows.length >= MIXED_COPY_FROM_ROWS)
  const rest = mixIfWorthIt(
    groups.filter(group => !suitsCopy(group)),
    plan,
    wanted,
  )
  return { copy: [...groups.filter(suitsCopy), ...rest.copy], insert: rest.insert }
}

/** Chooses the method of an upsert for a whole batch: its shapes share one statement with either method. */
export function upsertMethod(
  groups: readonly RowGroup[],
  { selfReferences }: MethodPlan,
  { wanted, current, sentRows, inPieces }: MethodContext,
): 'copy' | 'insert' {
  if (wanted !== 'auto') return wanted
  if (current === 'copy') return 'copy'
  // rows may refer to rows of other batches: one merge takes all, INSERT has a statement for each batch
  if (inPieces && selfReferences.length > 0) return 'copy'
  const count = countRows(groups)
  const hasFewOfEach = count < groups.length * UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE
  if (groups.length > MAX_SHAPES_OF_A_TURN && hasFewOfEach) return 'insert'
  // small batches that are ready one after another share one merge
  return sentRows + count >= UPSERT_BY_COPY_FROM_ROWS ? 'copy' : 'insert'
}

/** Lets groups share a COPY, where that is possible and worth its round trip; else they share INSERTs. */
function mixIfWorthIt(groups: readonly RowGroup[], plan: MethodPlan, wanted: Method): RowsByMethod {
  const isWorthIt = groups.length > 1 && countRows(groups) >= MIXED_COPY_FROM_ROWS
  const mixes = isWorthIt && wanted !== 'insert' && plan.mixesShapes !== 'never'
  return mixes ? { copy: [mixed(groups, plan)], insert: [] } : { copy: [], insert: groups }
}

function mixed(groups: readonly RowGroup[], plan: MethodPlan): RowGroup {
  // bytes of an earlier attempt are mixed already
  return groups[0]!.encoded ? groups[0]! : mixedGroup(groups, plan.shapes.mixed)
}
