import { inStatements } from '../../support/each-slice.ts'
import { insertUnnest, insertValues, MOST_PARAMETERS, type Statement } from '../../support/statements.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import { throughPool, type Way } from './way.ts'

/** `pg` alone, each statement prepared once on its connection and committed by itself. */
export function rowByRow(): Way {
  return statementsOf(() => 1, insertValues, { share: 1 / 50 })
}

export function multiRowValues(wantedRows: number): Way {
  const rows = ({ columns }: BenchTable) => Math.min(wantedRows, Math.floor(MOST_PARAMETERS / columns.length))
  return statementsOf(rows, insertValues, { share: 1 / 5 })
}

/** `unnest`: one array parameter for each column. */
export function unnest(rows: number, connections = 1): Way {
  return statementsOf(() => rows, insertUnnest, { share: 1 / 2, connections })
}

function statementsOf(
  rowsOf: (table: BenchTable) => number,
  statementFor: (columns: BenchTable['columns']) => Statement<Row>,
  { share, connections = 1 }: { share: number; connections?: number },
): Way {
  return throughPool(table => inStatements(rowsOf(table), statementFor(table.columns), connections), {
    tone: 'other',
    share,
  })
}
