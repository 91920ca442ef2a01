import type { TableParts } from './identifier.ts'
import { quoteIdentifier, quoteList, quoteTable } from './identifier.ts'
import {
  newerCondition,
  type SpecialKey,
  sameSpecialKey,
  updateConditions,
  valuesSet,
} from './merge/conflict.ts'
import {
  equalIn,
  excludedRow,
  insertShape,
  keyColumns,
  type Merge,
  type MergeColumn,
  type MergeShape,
  sameAsExcluded,
  updatedBy,
  updateShape,
} from './merge/merge.ts'
import { asStored, unnested } from './merge/merge-source.ts'
import { insertStatement } from './statements.ts'

/** A statement for one row, whose answer says what it did. */
export interface RowStatementText {
  readonly text: string
  /** What a row is when the statement has changed one. */
  readonly action: 'inserted' | 'updated' | 'deleted'
  /** The statement returns `returning`, and nothing else unless `reportsUpdate`. */
  readonly returns: boolean
  /**
   * The statement takes one more parameter, which differs for each row of a transaction. The last value that
   * it returns is 'f' for a row that it has updated, and 't' for one that it has inserted.
   */
  readonly reportsUpdate: boolean
}

/** Where a row that updates leaves its mark until its RETURNING; a setting of the transaction. */
const UPDATED = "'pg_batch.updated'"

/** `INSERT INTO t (a, b) VALUES ($1, $2) RETURNING id`. */
export function insertRow(
  table: TableParts,
  columns: readonly string[],
  returning: readonly string[],
): RowStatementText {
  const text = insertStatement(table, columns, [columns.map(() => true)])
  return {
    text: text + returningClause(returning),
    action: 'inserted',
    returns: returning.length > 0,
    reportsUpdate: false,
  }
}

/**
 * An upsert of one row, without an answer of what it did.
 */
export function upsertRow(merge: Merge, shape: MergeShape, returning: readonly string[]): RowStatementText {
  return {
    text: insertShape(merge, shape, valuesOf(shape)) + returningClause(returning),
    action: 'inserted',
    returns: returning.length > 0,
    reportsUpdate: false,
  }
}

/**
 * An upsert of one row. The command tag does not say whether it has inserted or updated: a condition of DO
 * UPDATE does, which the server evaluates once it has locked the stored row. `xmax = 0` would do for a plain
 * table, but a partitioned one has no such column before PostgreSQL 18, nor has a view.
 */
export function upsertRowReporting(
  merge: Merge,
  shape: MergeShape,
  returning: readonly string[],
): RowStatementText {
  if (updatedBy(merge, shape).length === 0) return upsertRow(merge, shape, returning)
  const mark = `$${shape.columns.length + 1}`
  const marks = `pg_catalog.set_config(${UPDATED}, ${mark}, true) IS NOT NULL`
  const isInserted = `pg_catalog.current_setting(${UPDATED}, true) IS DISTINCT FROM ${mark}`
  const returned = [...returning.map(quoteIdentifier), isInserted].join(', ')
  return {
    text: `${insertShape(merge, shape, valuesOf(shape), marks)} RETURNING ${returned}`,
    action: 'inserted',
    returns: true,
    reportsUpdate: true,
  }
}

/** An update of one row, if its key is stored. */
export function updateRow(merge: Merge, shape: MergeShape, returning: readonly string[]): RowStatementText {
  const row = excludedRow(merge, shape, column => asStored(parameterOf(shape, column.name), column))
  const from = ` FROM (${row}) AS excluded`
  const isEmpty = updatedBy(merge, shape).length === 0
  const update = merge.conflict.special
    ? updateSpecial(merge, shape, merge.conflict.special, from)
    : updateShape(merge, shape, { from, same: sameAsExcluded(merge) })
  return {
    text: isEmpty ? `SELECT${from} WHERE false` : update + returningClause(returning, 'stored.'),
    action: 'updated',
    returns: returning.length > 0 || isEmpty,
    reportsUpdate: false,
  }
}

/**
 * The update of a row with a special key. Its index names columns without a table, which have to be those of
 * the stored row: `excluded` is seen in subqueries only.
 */
function updateSpecial(merge: Merge, shape: MergeShape, special: SpecialKey, from: string): string {
  const { conflict, table } = merge
  const values = valuesSet(conflict, shape.columns)
  const same = sameSpecialKey(special, name => typedParameter(merge, shape, name))
  const conditions = updateConditions(conflict, shape.columns)
  return (
    `UPDATE ${quoteTable(table)} AS stored SET (${quoteList([...values.keys()])}) = ` +
    `(SELECT ${[...values.values()].join(', ')}${from}) ` +
    `WHERE ${same}${conditions === '' ? '' : ` AND (SELECT ${conditions}${from})`}`
  )
}

/** Deletes the row of a key; its parameters are the values of the key, and of `newerBy`. */
export function deleteRow(merge: Merge, shape: MergeShape, returning: readonly string[]): RowStatementText {
  const { conflict, table } = merge
  const { special } = conflict
  const typed = (name: string): string => typedParameter(merge, shape, name)
  const same = keyColumns(merge).map(column => equalIn(merge, column, 'stored', typed(column.name)))
  const conditions = special ? [sameSpecialKey(special, typed)] : same
  const newer = newerCondition(conflict, typed)
  const where = [...conditions, ...(newer === '' ? [] : [newer])].join(' AND ')
  return {
    text: `DELETE FROM ${quoteTable(table)} AS stored WHERE ${where}${returningClause(returning)}`,
    action: 'deleted',
    returns: returning.length > 0,
    reportsUpdate: false,
  }
}

function valuesOf({ columns }: MergeShape): string {
  if (columns.length === 0) return 'DEFAULT VALUES'
  return `VALUES (${columns.map(name => parameterOf({ columns }, name)).join(', ')})`
}

function parameterOf({ columns }: Pick<MergeShape, 'columns'>, column: string): string {
  return `$${columns.indexOf(column) + 1}`
}

/** Returns the value of a row as its column stores it, or the DEFAULT of a column that the row lacks. */
function typedParameter({ columns, missing }: Merge, shape: MergeShape, name: string): string {
  if (!shape.columns.includes(name)) return missing.get(name) ?? 'NULL'
  const column = columns.find(one => one.name === name)!
  return asStored(parameterOf(shape, name), column)
}

/**
 * Inserts rows by one MERGE, whose RETURNING can name the row of each result, as that of INSERT cannot. The
 * last value that it returns is the number of the row, from 1; a row that a trigger has dropped returns
 * nothing. Its parameters are an array for each column.
 */
export function mergeRows(
  table: TableParts,
  columns: readonly MergeColumn[],
  returning: readonly string[],
): string {
  const { from, cells } = unnested(columns)
  const returned = returning.map(name => `stored.${quoteIdentifier(name)}`)
  return (
    `MERGE INTO ${quoteTable(table)} AS stored USING ${from} ON FALSE ` +
    `WHEN NOT MATCHED THEN INSERT (${quoteList(columns.map(({ name }) => name))}) ` +
    `VALUES (${cells.join(', ')}) RETURNING ${[...returned, 'given.ordinal'].join(', ')}`
  )
}

function returningClause(returning: readonly string[], alias = ''): string {
  if (returning.length === 0) return ''
  return ` RETURNING ${returning.map(name => alias + quoteIdentifier(name)).join(', ')}`
}
