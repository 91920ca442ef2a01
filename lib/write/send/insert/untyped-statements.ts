import { conflictClause } from '../../../table/merge/conflict.ts'
import { insertStatement } from '../../../table/statements.ts'
import type { PlannedColumn } from '../../plan/planned-columns.ts'
import type { TablePlan } from '../../plan/table-plan.ts'

export interface UntypedStatement {
  readonly text: string
  readonly values: unknown[]
  /** How many rows it writes. */
  readonly count: number
}

/**
 * Makes INSERT statements for a database without a catalogue: a missing value is the keyword DEFAULT, values
 * go to the driver as they are, and keys are equal if their texts are.
 */
export function* untypedStatements(
  { table, columns, conflict }: TablePlan,
  rows: readonly object[],
): Generator<UntypedStatement, void> {
  const insert = (some: readonly object[], written: readonly PlannedColumn[]): UntypedStatement => {
    const values: unknown[] = []
    const cells = some.map(row =>
      written.map(column => {
        const value = column.read(row)
        if (value !== undefined) values.push(value)
        return value !== undefined
      }),
    )
    const names = written.map(column => column.name)
    const onConflict = conflict && conflictClause(conflict, names)
    return { text: insertStatement(table, names, cells, { onConflict }), values, count: some.length }
  }
  if (conflict?.action !== 'update') {
    yield insert(rows, columns)
    return
  }
  // an update sets the columns that a row has values for, and all rows of one statement set the same columns
  for (const { present, rows: run } of runsOfSameColumns(rows, columns)) {
    yield insert(lastOfEachKey(run, conflict.keys), present)
  }
}

/** Rows that follow each other and have values for the same columns; a row without any value is alone. */
function runsOfSameColumns(
  rows: readonly object[],
  columns: readonly PlannedColumn[],
): { present: PlannedColumn[]; rows: object[] }[] {
  const runs: { present: PlannedColumn[]; rows: object[] }[] = []
  for (const row of rows) {
    const present = columns.filter(column => column.read(row) !== undefined)
    const last = runs.at(-1)
    const same = present.length > 0 && last?.present.length === present.length
    if (same && present.every((column, index) => column === last.present[index])) last.rows.push(row)
    else runs.push({ present, rows: [row] })
  }
  return runs
}

function lastOfEachKey(rows: readonly object[], keys: readonly string[]): object[] {
  const last = new Map<unknown, object>()
  for (const row of rows) {
    const values = keys.map(key => (row as Record<string, unknown>)[key])
    const distinct = values.length === 0 || values.some(value => value === null || value === undefined)
    const key = distinct ? Symbol() : values.map(String).join('\0')
    last.delete(key) // so that the row also takes the position of the last one
    last.set(key, row)
  }
  return [...last.values()]
}
