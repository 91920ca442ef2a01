import { quoteIdentifier, quoteList, quoteTable, type TableParts } from '../identifier.ts'
import { type Conflict, conflictClause } from '../statements.ts'

/**
 * What all statements of an upsert share. The measure of each of them: what one INSERT … ON CONFLICT for each row would
 * leave, which names the columns that the row brings, in the order of the rows. The server decides what keys are equal,
 * what DEFAULTs are, and what NULLs mean.
 */

/** A column of the target, as far as a merge has to know it. */
export interface MergeColumn {
  readonly name: string
  /** Its type without a modifier: a cast to `varchar(2)` would shorten silently what an assignment refuses. */
  readonly baseType: string
  /** Its type with modifier, and its collation where it has one: what makes its values equal. */
  readonly sqlType: string
  readonly collation?: string | undefined
  /** A cast to its type may shorten a value. */
  readonly truncated?: boolean
}

/** Rows that came with one set of columns. */
export interface MergeShape {
  readonly number: number
  readonly columns: readonly string[]
  /** They are to be deleted; their columns are the keys. */
  readonly deletes?: boolean
}

/** The columns that rows have beside those of the target; no column of the target has one of these names. */
export interface MergeNames {
  /** A row's place among all rows. */
  readonly ordinal: string
  /** The number of a row's shape. */
  readonly shape: string
  /** Which of the rows with its key a row is, from 1. */
  readonly turn: string
  /** The shape of the row before it with the same key. */
  readonly previous: string
  /** The shape of the row after it with the same key. */
  readonly next: string
}

/** A table that rows are merged into. */
export interface Merge {
  readonly table: TableParts
  readonly columns: readonly MergeColumn[]
  readonly conflict: Conflict
  readonly names: MergeNames
  /**
   * A staging table has room for the two columns that tell the place and the shape of a row; else it holds rows of one
   * shape, in their order.
   */
  readonly numbered: boolean
  /**
   * One statement may write a table in several of its parts, and lock its rows before. CockroachDB refuses the first,
   * and Citus the second (0A000).
   */
  readonly writesTwice: boolean
}

/** @see https://www.postgresql.org/docs/current/limits.html */
export const MAX_TABLE_COLUMNS = 1600

/** Where the rows of a merge are taken from. */
export interface RowSource {
  /** An item of FROM. */
  readonly from: string
  readonly shapes: readonly MergeShape[]
  /** The columns of the target that its rows have. */
  readonly columns: readonly MergeColumn[]
  /** A column's value there, as the target's column would hold it. */
  readonly keyOf: (column: MergeColumn, alias?: string) => string
}

/** Names that no column has. */
export function mergeNames(columns: readonly string[]): MergeNames {
  const free = (name: string): string => (columns.includes(name) ? free(`${name}_`) : name)
  return {
    ordinal: free('pg_batch_ordinal'),
    shape: free('pg_batch_shape'),
    turn: free('pg_batch_turn'),
    previous: free('pg_batch_previous'),
    next: free('pg_batch_next'),
  }
}

/** The columns that some row has, and those of the key. */
export function columnsOf({ columns, conflict }: Merge, shapes: readonly MergeShape[]): MergeColumn[] {
  const brought = new Set(shapes.flatMap(shape => shape.columns))
  return columns.filter(({ name }) => brought.has(name) || conflict.keys.includes(name))
}

export function keyColumns({ columns, conflict }: Merge): MergeColumn[] {
  return columns.filter(({ name }) => conflict.keys.includes(name))
}

/** The columns that rows of a shape set where their key is there already. */
export function updatedBy({ conflict }: Merge, { columns }: MergeShape): string[] {
  return conflict.action === 'nothing' ? [] : conflict.update.filter(column => columns.includes(column))
}

/** True when rows of a shape leave the row alone that has their key. */
export function keepsStored(merge: Merge, shape: MergeShape): boolean {
  return !shape.deletes && updatedBy(merge, shape).length === 0
}

/** The numbers of the shapes of deletes. */
export function deletesAmong(shapes: readonly MergeShape[]): number[] {
  return shapes.filter(shape => shape.deletes).map(shape => shape.number)
}

/**
 * What tells rows apart that no unique key calls equal: their ordinal, for rows with a NULL in their key. A list of
 * expressions that starts with the key's.
 */
export function keyWithGuard(merge: Merge, { keyOf }: RowSource): string[] {
  const keys = keyColumns(merge).map(column => keyOf(column))
  if (merge.conflict.nullsNotDistinct) return keys
  const anyNull = keys.map(key => `${key} IS NULL`).join(' OR ')
  return [...keys, `CASE WHEN ${anyNull} THEN ${quoteIdentifier(merge.names.ordinal)} END`]
}

/** The condition that a row of the target, `stored`, has the key of a row that `alias` names. */
export function sameKey(merge: Merge, { keyOf }: Pick<RowSource, 'keyOf'>, alias: string): string {
  const { keys, equals } = merge.conflict
  return keyColumns(merge)
    .map(column => {
      const operator = equals[keys.indexOf(column.name)]
      return `stored.${quoteIdentifier(column.name)} ${operator} ${keyOf(column, alias)}`
    })
    .join(' AND ')
}

/** `INSERT INTO t AS stored (a, b)`; `values` follows, and then what a conflict leads to. */
export function insertShape(merge: Merge, shape: MergeShape, values: string): string {
  const { table, conflict } = merge
  const into = shape.columns.length === 0 ? '' : ` (${quoteList(shape.columns)})`
  const onConflict = conflictClause({ ...conflict, update: updatedBy(merge, shape) })
  return `INSERT INTO ${quoteTable(table)} AS stored${into} ${values}${onConflict}`
}

/** `ORDER BY` a row's key and then its place, so that parallel writers lock rows in one order. */
export function orderByKey(merge: Merge, { keyOf }: Pick<RowSource, 'keyOf'>): string {
  const keys = keyColumns(merge).map(column => keyOf(column))
  return `ORDER BY ${[...keys, quoteIdentifier(merge.names.ordinal)].join(', ')}`
}
