import { quoteIdentifier, quoteTable, type TableParts } from '../identifier.ts'
import { isNull } from '../null-test.ts'
import { insertInto, requireNotNull } from '../statements.ts'
import {
  assignments,
  type Conflict,
  conflictClause,
  newerCondition,
  specialKeyOf,
  updateConditions,
  updatedColumns,
} from './conflict.ts'

/**
 * What all statements of an upsert share. The measure of each: it leaves the same rows as one INSERT … ON
 * CONFLICT for each row, in the order of the rows, which names the columns that the row has values for. The
 * server decides which keys are equal, what DEFAULTs are, and what NULLs mean.
 */

/** What a merge needs to know about a column of the target. */
export interface MergeColumn {
  readonly name: string
  /**
   * Its type without a modifier: a cast to `varchar(2)` would silently shorten what an assignment refuses.
   */
  readonly baseType: string
  /**
   * The type of the elements of an array of its values; undefined where these travel as text. Under a domain,
   * which may be NOT NULL, its base.
   */
  readonly elementType?: string | undefined
  /** Its OID, for a type that has the same one in every database. */
  readonly elementOid?: number | undefined
  /** Its type with modifier, by which its values are compared, together with its collation. */
  readonly sqlType: string
  readonly collation?: string | undefined
  /** A cast to its type may shorten a value. */
  readonly truncated?: boolean
}

/** The columns that a group of rows has values for. */
export interface MergeShape {
  readonly number: number
  readonly columns: readonly string[]
  /** The rows are deleted; the columns are those of the key. */
  readonly deletes?: boolean
}

/** The names of additional columns of the rows; no column of the target has one of these names. */
export interface MergeNames {
  /** The index of a row among all rows. */
  readonly ordinal: string
  /** The number of a row's shape. */
  readonly shape: string
  /** The number of a row among the rows of its key, from 1. */
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
  /** The rows have values for identity columns that are GENERATED ALWAYS. */
  readonly overrides?: boolean
  /** What a row has in the columns that it lacks, as SQL of the column's type: its DEFAULT, or NULL. */
  readonly missing: ReadonlyMap<string, string>
  /** The generated columns, each with its expression. */
  readonly generated: readonly { readonly name: string; readonly sql: string }[]
  readonly names: MergeNames
  /**
   * A staging table has room for two more columns, the ordinal and the shape of a row. Without them it holds
   * rows of one shape only, in their order.
   */
  readonly numbered: boolean
  /**
   * One statement can write a table in several of its parts, and lock rows before. CockroachDB refuses the
   * first, and Citus the second (0A000).
   */
  readonly writesTwice: boolean
}

/** @see https://www.postgresql.org/docs/current/limits.html */
export const MAX_TABLE_COLUMNS = 1600

/** The source of the rows of a merge. */
export interface RowSource {
  /** An item of FROM. */
  readonly from: string
  readonly shapes: readonly MergeShape[]
  /** The columns that its rows have. */
  readonly columns: readonly MergeColumn[]
  /** Its columns have the types of those of the target, with modifiers and domains. */
  readonly isTyped: boolean
  /** The expression for the value of a column, as the column of the target would store it. */
  readonly keyOf: (column: MergeColumn, alias?: string) => string
  /** The same, except that a value too long for the column stays as it is, and the column refuses it. */
  readonly valueOf: (column: MergeColumn, alias: string) => string
}

/** Returns names that no column has. */
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

/** Returns the columns that at least one shape has, and those of the key. */
export function columnsOf(
  { columns, conflict }: Pick<Merge, 'columns' | 'conflict'>,
  shapes: readonly MergeShape[],
): MergeColumn[] {
  const present = new Set(shapes.flatMap(shape => shape.columns))
  return columns.filter(({ name }) => present.has(name) || conflict.keys.includes(name))
}

export function keyColumns({ columns, conflict }: Merge): MergeColumn[] {
  return columns.filter(({ name }) => conflict.keys.includes(name))
}

function columnOf({ columns }: Merge, name: string): MergeColumn {
  return columns.find(column => column.name === name)!
}

/** Returns the columns that a row of this shape updates where its key is already stored. */
export function updatedBy({ conflict }: Merge, { columns }: MergeShape): string[] {
  return updatedColumns(conflict, columns)
}

/** Returns true when rows of a shape do not change a stored row with their key. */
export function keepsStored(merge: Merge, shape: MergeShape): boolean {
  return !shape.deletes && updatedBy(merge, shape).length === 0
}

/** Returns the numbers of the shapes of deletes. */
export function deletesAmong(shapes: readonly MergeShape[]): number[] {
  return shapes.filter(shape => shape.deletes).map(shape => shape.number)
}

/**
 * Returns expressions that are equal for rows of the same key: the columns of the key, and the ordinal for
 * rows with a NULL in their key, because these equal no other row.
 */
export function keyWithGuard(merge: Merge, { keyOf }: RowSource): string[] {
  const keys = keyColumns(merge).map(column => keyOf(column))
  if (merge.conflict.nullsNotDistinct) return keys
  const anyNull = keys.map(isNull).join(' OR ')
  return [...keys, `CASE WHEN ${anyNull} THEN ${quoteIdentifier(merge.names.ordinal)} END`]
}

/** Returns the condition that a row of the target has the same key as the row of `alias`. */
export function sameKey(
  merge: Merge,
  { keyOf }: Pick<RowSource, 'keyOf'>,
  alias: string,
  target = 'stored',
): string {
  return keyColumns(merge)
    .map(column => equalIn(merge, column, target, keyOf(column, alias)))
    .join(' AND ')
}

/** Returns the condition that a column of the key is equal to a value. */
export function equalIn({ conflict }: Merge, { name }: MergeColumn, target: string, value: string): string {
  const { keys, equals, collations } = conflict
  const at = keys.indexOf(name)
  const column = `${target}.${quoteIdentifier(name)}`
  const collation = collations?.[at]
  if (!collation) return `${column} ${equals[at]} ${value}`
  return `${column} COLLATE ${collation} ${equals[at]} (${value}) COLLATE ${collation}`
}

/** Returns the condition that the one row of `excluded` has the same key as the stored one. */
export function sameAsExcluded(merge: Merge): string {
  // `IS NOT DISTINCT FROM` could not use the index
  const conditions = waysToEqual(merge, excludedKey).map(ways =>
    ways.length === 1 ? ways[0]! : `(${ways.join(' OR ')})`,
  )
  return conditions.join(' AND ')
}

/**
 * Returns conditions that join many rows to the stored ones by their keys. A pair of rows meets at most one
 * of them. A join by one condition with OR would read the stored rows again for each row, because only plain
 * comparisons find rows by all columns of an index, or by their hashes.
 * @param keyOf the expression for a column of the key
 */
export function joinsByKey(merge: Merge, keyOf: (column: MergeColumn) => string = excludedKey): string[] {
  const joins = waysToEqual(merge, keyOf).reduce<readonly string[][]>(
    (before, ways) => before.flatMap(conditions => ways.map(way => [...conditions, way])),
    [[]],
  )
  return joins.map(conditions => conditions.join(' AND '))
}

/** How many {@link joinsByKey} there are. */
export function joinCount({ equalNulls }: Conflict): number {
  return 2 ** equalNulls.length
}

/** Returns for each column of the key when it is equal: where its values are, or where both are NULL. */
function waysToEqual(merge: Merge, keyOf: (column: MergeColumn) => string): string[][] {
  return keyColumns(merge).map(column => {
    const key = keyOf(column)
    const equal = equalIn(merge, column, 'stored', key)
    const bothNull = `${isNull(`stored.${quoteIdentifier(column.name)}`)} AND ${isNull(key)}`
    return merge.conflict.equalNulls.includes(column.name) ? [equal, bothNull] : [equal]
  })
}

function excludedKey({ name }: MergeColumn): string {
  return `excluded.${quoteIdentifier(name)}`
}

/** Returns ` AND` and the condition that a delete is newer than the stored row; empty without `newerBy`. */
export function andNewer(merge: Merge, { keyOf }: Pick<RowSource, 'keyOf'>, alias: string): string {
  const condition = newerCondition(merge.conflict, name => keyOf(columnOf(merge, name), alias))
  return condition === '' ? '' : ` AND ${condition}`
}

/** `INSERT INTO t AS stored (a, b)`, then `values`, then the ON CONFLICT clause. */
export function insertShape(merge: Merge, shape: MergeShape, values: string, condition = ''): string {
  const { table, conflict, overrides = false } = merge
  const into = insertInto(shape.columns, overrides)
  const onConflict = conflictClause(conflict, shape.columns, condition)
  return `INSERT INTO ${quoteTable(table)} AS stored${into} ${values}${onConflict}`
}

/**
 * `UPDATE t AS stored SET …` for rows whose key is stored, without what comes between SET and WHERE.
 * @param same the condition that the row of `excluded` has the key of the stored one
 */
export function updateShape(
  { table, conflict }: Merge,
  { columns }: MergeShape,
  { from, same }: { from: string; same: string },
): string {
  const conditions = [same, updateConditions(conflict, columns)].filter(text => text !== '')
  const set = `UPDATE ${quoteTable(table)} AS stored SET ${assignments(conflict, columns)}`
  return `${set}${from} WHERE ${conditions.join(' AND ')}`
}

/**
 * `SELECT … AS a, … AS b`, then `from`: a row as the SQL of an update sees it, with the columns that it
 * lacks. Only of those that something names, because a DEFAULT may be the next number of a sequence.
 * @param isWhole with all columns that are not generated
 */
export function excludedRow(
  merge: Merge,
  { columns }: MergeShape,
  cell: (column: MergeColumn) => string,
  { from = '', isWhole = false }: { from?: string; isWhole?: boolean } = {},
): string {
  const generated = merge.generated.filter(({ name }) => isNamed(merge.conflict, name))
  const takesAll = isWhole || generated.length > 0
  const missing = [...merge.missing].filter(
    ([name]) => !columns.includes(name) && (takesAll || isNamed(merge.conflict, name)),
  )
  const given = merge.columns.filter(({ name }) => columns.includes(name))
  const cells = [...given.map(one => [one.name, orTableChanged(merge, one, cell(one))] as const), ...missing]
  const row = `SELECT ${cells.map(([name, sql]) => `${sql} AS ${quoteIdentifier(name)}`).join(', ')}${from}`
  if (generated.length === 0) return row
  const added = generated.map(({ name, sql }) => `(${sql}) AS ${quoteIdentifier(name)}`)
  return `SELECT *, ${added.join(', ')} FROM (${row}) AS pg_batch_given`
}

/**
 * Returns the value of a column of the key. It fails where the value is NULL and the column has lost its NOT
 * NULL: rows with that key may be stored since, and the other conditions do not look for them.
 */
function orTableChanged({ table, conflict }: Merge, { name, sqlType }: MergeColumn, value: string): string {
  const { updateOnly, nullsNotDistinct, keys, equalNulls } = conflict
  if (!updateOnly || !nullsNotDistinct || !keys.includes(name) || equalNulls.includes(name)) return value
  return `coalesce(${value}, (${requireNotNull(table, name)})::${sqlType})`
}

/** Returns true for a column of `excluded` that the key or a condition needs, or the user's SQL may name. */
function isNamed({ keys, special, newerBy, where, computed }: Conflict, column: string): boolean {
  if (keys.includes(column) || special?.inputs.includes(column) || newerBy === column) return true
  const lower = column.toLowerCase().replaceAll('"', '""')
  return [where, ...computed.map(({ sql }) => sql)].some(sql => sql?.toLowerCase().includes(lower))
}

/** `ORDER BY` the key and then the ordinal of a row, so that parallel writers lock rows in the same order. */
export function orderByKey(merge: Merge, { keyOf }: Pick<RowSource, 'keyOf'>): string {
  const { special } = merge.conflict
  const keys = special
    ? specialKeyOf(special, name => keyOf(columnOf(merge, name), 'pg_batch'))
    : keyColumns(merge).map(column => keyOf(column))
  return `ORDER BY ${[...keys, quoteIdentifier(merge.names.ordinal)].join(', ')}`
}
