import { quoteIdentifier, quoteTable } from '../identifier.ts'
import { isNotNull } from '../null-test.ts'
import { cellsOf, type StateChecks, updateConditions, valuesSet } from './conflict.ts'
import { excludedRow, type Merge, type MergeShape, type RowSource, sameKey, updatedBy } from './merge.ts'

/**
 * Folds the rows of a key in the loop of a merge, and writes the result once. Each version of a row that a
 * transaction writes makes the next search for its key longer: 100,000 versions of one row took minutes.
 *
 *     first row of a key   its own statement, which also locks the stored row
 *     second row           reads into the variable `stored` what is now stored
 *     further rows         run the SQL of their SET and WHERE on the variable
 *     next key             writes the variable
 *
 * Deletes, and rows that the server may refuse (CHECK, NOT NULL), get their own statement, so that every
 * error is the server's.
 */

/** Declares the variables of {@link foldRow}. */
export function foldVariables({ table }: Merge): string {
  const type = `${quoteTable(table)}%ROWTYPE`
  return (
    `stored ${type}; pg_batch_next ${type}; ` +
    'pg_batch_known boolean := false; pg_batch_folded boolean; pg_batch_pending boolean := false;'
  )
}

/**
 * Returns what the loop does with `pg_batch_row`.
 * @param write writes the row by its own statement, and counts it
 * @param firstTurn the number of the first row of each key
 */
export function foldRow(
  merge: Merge,
  source: RowSource,
  { checks, write, firstTurn }: { checks: StateChecks; write: string; firstTurn: number },
): string {
  const { table, names } = merge
  const row = cellsOf('pg_batch_row')
  const flush = `${writeFolded(merge, source)} pg_batch_known := false;`
  const cases = source.shapes.map(one => `WHEN ${one.number} THEN ${foldShape(merge, source, one, checks)}`)
  return `
    IF ${row(names.turn)} = ${firstTurn} THEN
      ${flush}
    ELSIF NOT pg_batch_known THEN
      SELECT stored.* INTO stored FROM ONLY ${quoteTable(table)} AS stored
        WHERE ${sameKey(merge, source, 'pg_batch_row')};
      pg_batch_known := FOUND;
    END IF;
    pg_batch_folded := pg_batch_known;
    IF pg_batch_known THEN
      CASE ${row(names.shape)} ${cases.join(' ')} END CASE;
    END IF;
    IF NOT pg_batch_folded THEN
      ${flush}
      ${write}
    END IF;`
}

/** Writes the variable, if it has changed. */
export function writeFolded(merge: Merge, { shapes }: RowSource): string {
  const columns = [...new Set(shapes.flatMap(shape => (shape.deletes ? [] : updatedBy(merge, shape))))]
  if (columns.length === 0) return ''
  const stored = cellsOf('stored')
  const sets = columns.map(name => `${quoteIdentifier(name)} = ${stored(name)}`)
  const same = sameKey(merge, { keyOf: ({ name }) => stored(name) }, '', 'pg_batch_target')
  return (
    `IF pg_batch_pending THEN UPDATE ONLY ${quoteTable(merge.table)} AS pg_batch_target ` +
    `SET ${sets.join(', ')} WHERE ${same}; pg_batch_pending := false; END IF;`
  )
}

/** Changes `stored`, or sets `pg_batch_folded` to false. */
function foldShape(merge: Merge, source: RowSource, shape: MergeShape, checks: StateChecks): string {
  if (shape.deletes) return 'pg_batch_folded := false;'
  // INSERT checks the row that it brings, even where it then updates
  const isChecked = !merge.conflict.updateOnly
  const isWhole =
    isChecked && (checks.checks.length > 0 || checks.notNull.some(name => !shape.columns.includes(name)))
  const row = excludedRow(merge, shape, column => source.valueOf(column, 'pg_batch_row'), { isWhole })
  const isInsertable = isChecked ? meets(merge, checks, 'excluded', checks.notNull) : ''
  return `${row} INTO excluded; ${ifMet(isInsertable, foldUpdate(merge, shape, checks))}`
}

function foldUpdate(merge: Merge, shape: MergeShape, checks: StateChecks): string {
  const { conflict } = merge
  const values = [...valuesSet(conflict, shape.columns)]
  if (values.length === 0) return 'NULL;'
  const sets = values.map(([name, sql]) => `pg_batch_next.${quoteIdentifier(name)} := ${sql};`)
  const isAllowed = meets(
    merge,
    checks,
    'pg_batch_next',
    values.map(([name]) => name),
  )
  const take = 'stored := pg_batch_next; pg_batch_pending := true; pg_batch_changed := pg_batch_changed + 1;'
  const update = `pg_batch_next := stored; ${sets.join(' ')} ${ifMet(isAllowed, take)}`
  const condition = updateConditions(conflict, shape.columns)
  return condition === '' ? update : `IF ${condition} THEN ${update} END IF;`
}

/** The row gets its own statement where a check is not met. */
function ifMet(condition: string, then: string): string {
  return condition === '' ? then : `IF ${condition} THEN ${then} ELSE pg_batch_folded := false; END IF;`
}

/** Returns the condition that the row of a variable passes the checks; empty if there are none. */
function meets(
  { table, missing }: Merge,
  { checks, notNull }: StateChecks,
  variable: string,
  columns: readonly string[],
): string {
  const cell = cellsOf(variable)
  const present = notNull.filter(name => columns.includes(name)).map(name => isNotNull(cell(name)))
  if (checks.length === 0) return present.join(' AND ')
  const row = [...missing.keys()].map(name => `${cell(name)} AS ${quoteIdentifier(name)}`)
  const passed = checks.map(sql => `(${sql}) IS NOT FALSE`)
  const from = `(SELECT ${row.join(', ')}) AS ${quoteIdentifier(table.name)}`
  return [...present, `(SELECT ${passed.join(' AND ')} FROM ${from})`].join(' AND ')
}
