import { insertStatement, MAX_PARAMETERS } from '../../../table/statements.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { rowsInOrder } from '../../rows/rows-in-order.ts'
import { onlyOf, type RowStatement } from './parameter-sender.ts'
import { addParameters, type Parameters } from './parameters.ts'

/** Longer statements gain nothing: the server reads one while the next is being made. */
const MAX_ROWS = 500

/**
 * Makes INSERT statements for rows of several shapes, in the order of their batch: a column that a row lacks
 * is DEFAULT. One statement for each shape would mean one for almost each row, where rows have random subsets
 * of 24 columns.
 * @throws RowError for a value that cannot be a parameter
 */
export function* mixedStatements(
  { table, columns, selfReferences, overrides }: TablePlan,
  groups: readonly RowGroup[],
): Generator<RowStatement, void> {
  const written = [...new Set(groups.flatMap(({ shape }) => shape.columns))].sort((a, b) => a - b)
  const names = written.map(column => columns[column]!.name)
  const kinds = new Map(
    groups.map(({ shape }) => [
      shape,
      {
        present: shape.columns.map(column => columns[column]!),
        cells: cellsOf(shape.columns, written),
      },
    ]),
  )
  const refs = rowsInOrder(groups)
  // foreign keys are checked at the end of a statement: rows that refer to each other have to share one
  const maxRows = selfReferences.length > 0 ? MAX_PARAMETERS : MAX_ROWS
  for (let from = 0; from < refs.length; ) {
    const parameters: Parameters = { values: [], length: 0 }
    const cells: (readonly boolean[])[] = []
    let to = from
    for (; to < refs.length && to - from < maxRows; to++) {
      const { group, index } = refs[to]!
      const kind = kinds.get(group.shape)!
      if (parameters.values.length + kind.present.length > MAX_PARAMETERS) break
      if (!addParameters(parameters, kind.present, group, index)) break
      cells.push(kind.cells)
    }
    const text = insertStatement(table, names, cells, { overrides })
    yield { text, parameters, count: to - from, only: onlyOf(refs.slice(from, to)), columns: [] }
    from = to
  }
}

/** Returns for each written column whether a shape has it; both lists are ascending. */
function cellsOf(present: readonly number[], written: readonly number[]): boolean[] {
  let at = 0
  return written.map(column => {
    if (present[at] !== column) return false
    at++
    return true
  })
}
