import { quoteIdentifier, quoteList, quoteTable, type TableParts } from './identifier.ts'
import { type Conflict, conflictClause } from './statements.ts'

/**
 * Upserts as one statement: of rows with equal keys the last one is taken, whatever their types call equal, and
 * rows go in by the order of their keys, so that parallel writers lock them in one order. All is left to the server:
 * equality, DEFAULTs, and NULLs.
 */

/** The two columns that a staging table has beyond the target's: a row's place, and the number of its shape. */
export const ORDINAL = 'pg_batch_ordinal'
export const SHAPE = 'pg_batch_shape'

/** A column of the target, as far as a merge has to know it. */
export interface MergeColumn {
  readonly name: string
  /** Its type without a modifier: a cast to `varchar(2)` would shorten silently what an assignment refuses. */
  readonly baseType: string
  /** Its type with modifier, and its collation where it has one: what makes its values equal. */
  readonly sqlType: string
  readonly collation?: string | undefined
  /** What a missing value gets; undefined: NULL. */
  readonly defaultSql?: string | undefined
}

/** Rows that came with one set of columns. */
export interface MergeShape {
  readonly number: number
  readonly columns: readonly string[]
}

/** A staging table with the target's columns and types and none of its constraints, gone at COMMIT. */
export function createStagingStatement(
  staging: string,
  table: TableParts,
  columns: readonly string[],
): string {
  const select = [
    ...columns.map(quoteIdentifier),
    `0 AS ${quoteIdentifier(ORDINAL)}`,
    `0 AS ${quoteIdentifier(SHAPE)}`,
  ]
  return (
    `CREATE TEMP TABLE ${quoteIdentifier(staging)} ON COMMIT DROP AS ` +
    `SELECT ${select.join(', ')} FROM ${quoteTable(table)} WITH NO DATA`
  )
}

/** Empties a staging table. */
export function clearStagingStatement(staging: string): string {
  return `TRUNCATE pg_temp.${quoteIdentifier(staging)}`
}

/** Moves a staging table's rows into the target. */
export function mergeStatement(
  staging: string,
  table: TableParts,
  columns: readonly MergeColumn[],
  shapes: readonly MergeShape[],
  conflict: Conflict,
): string {
  const written = writtenColumns(columns, shapes, conflict)
  const from = `pg_temp.${quoteIdentifier(staging)}`
  if (shapes.every(shape => shape.columns.length === columns.length)) {
    return upsertFrom(from, table, written, conflict, keyOfStaging)
  }
  // by ordinal, so that a sequence counts in the order of rows
  const values = written.map(column => `${stagedValue(column, shapes)} AS ${quoteIdentifier(column.name)}`)
  const completed =
    `(SELECT ${[...values, quoteIdentifier(ORDINAL)].join(', ')} FROM ${from} ` +
    `ORDER BY ${quoteIdentifier(ORDINAL)}) AS pg_batch`
  return upsertFrom(completed, table, written, conflict, keyOfStaging)
}

/**
 * Writes rows that are parameters.
 * @param rows for each row, the number of its shape
 */
export function upsertStatement(
  table: TableParts,
  columns: readonly MergeColumn[],
  shapes: readonly MergeShape[],
  rows: readonly number[],
  conflict: Conflict,
): string {
  const written = writtenColumns(columns, shapes, conflict)
  const given = new Map(shapes.map(shape => [shape.number, new Set(shape.columns)]))
  let parameter = 0
  const tuples = rows.map((shape, ordinal) => {
    const cells = written.map(column => {
      if (!given.get(shape)!.has(column.name)) return `${defaultOf(column)}::${column.baseType}`
      // the first row's casts give the whole list its types
      return ordinal === 0 ? `$${++parameter}::${column.baseType}` : `$${++parameter}`
    })
    return `(${[...cells, ordinal].join(', ')})`
  })
  const names = quoteList([...written.map(column => column.name), ORDINAL])
  return upsertFrom(
    `(VALUES ${tuples.join(', ')}) AS pg_batch (${names})`,
    table,
    written,
    conflict,
    keyOfParameters,
  )
}

/** The columns that an upsert of these shapes writes: those that some row has, and keys, whose DEFAULT may be equal. */
export function writtenColumns(
  columns: readonly MergeColumn[],
  shapes: readonly MergeShape[],
  conflict: Conflict,
): readonly MergeColumn[] {
  const given = new Set(shapes.flatMap(shape => shape.columns))
  const written = columns.filter(({ name }) => given.has(name) || conflict.keys.includes(name))
  return written.length > 0 ? written : columns.slice(0, 1)
}

function stagedValue(column: MergeColumn, shapes: readonly MergeShape[]): string {
  const without = shapes.filter(shape => !shape.columns.includes(column.name)).map(shape => shape.number)
  const name = quoteIdentifier(column.name)
  if (without.length === 0) return name
  const missing = `${defaultOf(column)}::${column.sqlType}`
  if (without.length === shapes.length) return missing
  return `CASE WHEN ${quoteIdentifier(SHAPE)} IN (${without.join(', ')}) THEN ${missing} ELSE ${name} END`
}

function defaultOf({ defaultSql }: MergeColumn): string {
  return defaultSql === undefined ? 'NULL' : `(${defaultSql})`
}

/** A staging table's columns are the target's: their values are rounded, padded and collated already. */
function keyOfStaging({ name }: MergeColumn): string {
  return quoteIdentifier(name)
}

function keyOfParameters({ name, sqlType, collation }: MergeColumn): string {
  return `(${quoteIdentifier(name)}::${sqlType})${collation === undefined ? '' : ` COLLATE ${collation}`}`
}

/**
 * DISTINCT ON takes NULLs for equal, a unique index does not (unless it says so): a row with a NULL in its key is told
 * apart by its ordinal, for none of those may be dropped. DO NOTHING keeps the first of equal rows by itself.
 */
function upsertFrom(
  from: string,
  table: TableParts,
  written: readonly MergeColumn[],
  conflict: Conflict,
  keyOf: (column: MergeColumn) => string,
): string {
  const names = quoteList(written.map(column => column.name))
  const ordinal = quoteIdentifier(ORDINAL)
  const keys = written.filter(({ name }) => conflict.keys.includes(name)).map(keyOf)
  const dedupe = conflict.action === 'update' && keys.length > 0
  const guard = dedupe && !conflict.nullsNotDistinct ? [nullGuard(keys, ordinal)] : []
  const distinct = [...keys, ...guard].join(', ')
  const select = dedupe ? `SELECT DISTINCT ON (${distinct}) ${names}` : `SELECT ${names}`
  const order = [...keys, ...guard, dedupe ? `${ordinal} DESC` : ordinal].join(', ')
  return (
    `INSERT INTO ${quoteTable(table)} (${names}) ${select} FROM ${from} ORDER BY ${order}` +
    conflictClause(conflict)
  )
}

function nullGuard(keys: readonly string[], ordinal: string): string {
  return `CASE WHEN ${keys.map(key => `${key} IS NULL`).join(' OR ')} THEN ${ordinal} END`
}
