import type { TableParts } from './identifier.ts'
import { quoteIdentifier, quoteList, quoteTable } from './identifier.ts'
import { insertShape, keyColumns, type Merge, type MergeShape, updatedBy } from './merge/merge.ts'
import { insertStatement } from './statements.ts'

/** A statement for one row, whose answer says what it did. */
export interface RowStatementText {
  readonly text: string
  /** What a row is when the statement has changed one. */
  readonly action: 'inserted' | 'deleted'
  /** The statement returns `returning`, and nothing else unless `tellsUpdate`. */
  readonly returns: boolean
  /**
   * The statement takes one more parameter, which differs for each row of a transaction. The last value that
   * it returns is 'f' for a row that it has updated, and 't' for one that it has inserted.
   */
  readonly tellsUpdate: boolean
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
    tellsUpdate: false,
  }
}

/**
 * An upsert of one row. The command tag does not say whether it has inserted or updated: a condition of DO
 * UPDATE does, which the server evaluates once it has locked the stored row. `xmax = 0` would do for a plain
 * table, but a partitioned one has no such column before PostgreSQL 18, nor has a view.
 */
export function upsertRow(merge: Merge, shape: MergeShape, returning: readonly string[]): RowStatementText {
  const parameters = shape.columns.map((_, index) => `$${index + 1}`).join(', ')
  const text = insertShape(
    merge,
    shape,
    shape.columns.length > 0 ? `VALUES (${parameters})` : 'DEFAULT VALUES',
  )
  if (updatedBy(merge, shape).length === 0) {
    return {
      text: text + returningClause(returning),
      action: 'inserted',
      returns: returning.length > 0,
      tellsUpdate: false,
    }
  }
  const mark = `$${shape.columns.length + 1}`
  const marks = `pg_catalog.set_config(${UPDATED}, ${mark}, true) IS NOT NULL`
  const isInserted = `pg_catalog.current_setting(${UPDATED}, true) IS DISTINCT FROM ${mark}`
  return {
    text: `${text} WHERE ${marks} RETURNING ${[...returning.map(quoteIdentifier), isInserted].join(', ')}`,
    action: 'inserted',
    returns: true,
    tellsUpdate: true,
  }
}

/** Deletes the row of a key; its parameters are the values of the key. */
export function deleteRow(merge: Merge, shape: MergeShape, returning: readonly string[]): RowStatementText {
  const { keys, equals } = merge.conflict
  const conditions = keyColumns(merge).map(({ name, baseType }) => {
    const parameter = `$${shape.columns.indexOf(name) + 1}::${baseType}`
    return `stored.${quoteIdentifier(name)} ${equals[keys.indexOf(name)]} ${parameter}`
  })
  const text = `DELETE FROM ${quoteTable(merge.table)} AS stored WHERE ${conditions.join(' AND ')}`
  return {
    text: text + returningClause(returning),
    action: 'deleted',
    returns: returning.length > 0,
    tellsUpdate: false,
  }
}

/**
 * Inserts rows by one MERGE, whose RETURNING can name the row of each result, as that of INSERT cannot. The
 * last value that it returns is the index of the row; a row that a trigger has dropped returns nothing.
 * @param columns with the type of each in SQL, without a modifier, so that the column's own assignment
 *   applies it
 */
export function mergeRows(
  table: TableParts,
  columns: readonly { readonly name: string; readonly type: string }[],
  returning: readonly string[],
  count: number,
): string {
  let parameter = 0
  const rows = Array.from({ length: count }, (_, row) => {
    // the first row gives the types of all
    const cells = columns.map(({ type }) => (row === 0 ? `$${++parameter}::${type}` : `$${++parameter}`))
    return `(${[...cells, row].join(', ')})`
  })
  const names = columns.map((_, index) => `c${index}`)
  const source = `(VALUES ${rows.join(', ')}) AS given (${[...names, 'ordinal'].join(', ')})`
  const into = quoteList(columns.map(({ name }) => name))
  const values = names.map(name => `given.${name}`).join(', ')
  const returned = returning.map(name => `stored.${quoteIdentifier(name)}`)
  return (
    `MERGE INTO ${quoteTable(table)} AS stored USING ${source} ON FALSE ` +
    `WHEN NOT MATCHED THEN INSERT (${into}) VALUES (${values}) ` +
    `RETURNING ${[...returned, 'given.ordinal'].join(', ')}`
  )
}

function returningClause(returning: readonly string[]): string {
  return returning.length === 0 ? '' : ` RETURNING ${quoteList(returning)}`
}
