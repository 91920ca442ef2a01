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

/** Where the rows of an upsert are taken from. */
interface Source {
  readonly from: string
  readonly shapes: readonly MergeShape[]
  /** A column's value there, as the target's column would hold it. */
  readonly keyOf: (column: MergeColumn, alias?: string) => string
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
  if (shapes.every(shape => shape.deletes || shape.columns.length === columns.length)) {
    return writeFrom({ from, shapes, keyOf: keyOfStaging }, table, written, conflict)
  }
  // by ordinal, so that a sequence counts in the order of rows
  const values = written.map(column => {
    // a cast to the type with its modifier would shorten what the assignment refuses; keys are compared by it
    const type = conflict.keys.includes(column.name) ? column.sqlType : column.baseType
    return `${stagedValue(column, type, shapes)} AS ${quoteIdentifier(column.name)}`
  })
  const completed =
    `(SELECT ${[...values, quoteList([ORDINAL, SHAPE])].join(', ')} FROM ${from} ` +
    `ORDER BY ${quoteIdentifier(ORDINAL)}) AS pg_batch`
  return writeFrom({ from: completed, shapes, keyOf: keyOfStaging }, table, written, conflict)
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
  const deletes = new Set(shapes.filter(shape => shape.deletes).map(shape => shape.number))
  const typed = new Set<MergeColumn>()
  let parameter = 0
  const tuples = rows.map((shape, ordinal) => {
    const cells = written.map(column => {
      const has = given.get(shape)!.has(column.name)
      // without a type, for a domain may be NOT NULL
      if (!has && deletes.has(shape)) return 'NULL'
      const value = has ? `$${++parameter}` : defaultOf(column)
      // the first casts give the whole list its types
      if (has && typed.has(column)) return value
      typed.add(column)
      return `${value}::${column.baseType}`
    })
    return `(${[...cells, ordinal, ...(deletes.size > 0 ? [shape] : [])].join(', ')})`
  })
  const names = [...written.map(column => column.name), ORDINAL, ...(deletes.size > 0 ? [SHAPE] : [])]
  const from = `(VALUES ${tuples.join(', ')}) AS pg_batch (${quoteList(names)})`
  return writeFrom(
    { from: from + withoutTruncated(written, shapes, conflict), shapes, keyOf: keyOfParameters },
    table,
    written,
    conflict,
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

function stagedValue(column: MergeColumn, type: string, shapes: readonly MergeShape[]): string {
  const without = shapes
    .filter(shape => !shape.deletes && !shape.columns.includes(column.name))
    .map(shape => shape.number)
  const name = quoteIdentifier(column.name)
  if (without.length === 0) return name
  const missing = `${defaultOf(column)}::${type}`
  if (without.length === shapes.length) return missing
  return `CASE WHEN ${quoteIdentifier(SHAPE)} IN (${without.join(', ')}) THEN ${missing} ELSE ${name} END`
}

function defaultOf({ defaultSql }: MergeColumn): string {
  return defaultSql === undefined ? 'NULL' : `(${defaultSql})`
}

/** A staging table's columns are the target's: their values are rounded, padded and collated already. */
function keyOfStaging({ name }: MergeColumn, alias?: string): string {
  return qualified(name, alias)
}

function keyOfParameters({ name, sqlType, collation }: MergeColumn, alias?: string): string {
  return `(${qualified(name, alias)}::${sqlType})${collation === undefined ? '' : ` COLLATE ${collation}`}`
}

function qualified(name: string, alias: string | undefined): string {
  return alias === undefined ? quoteIdentifier(name) : `${alias}.${quoteIdentifier(name)}`
}

/**
 * Leaves out deletes whose key is too long for its column: no row has it, and a cast would make it one that some row
 * may well have.
 */
function withoutTruncated(
  written: readonly MergeColumn[],
  shapes: readonly MergeShape[],
  conflict: Conflict,
): string {
  const columns = keyColumns(written, conflict).filter(column => column.truncated)
  const numbers = deletesAmong(shapes)
  if (columns.length === 0 || numbers.length === 0) return ''
  // blanks at the end are no loss; an assignment drops them, too
  const whole = columns.map(column => {
    const [cast, given] = [`${quoteIdentifier(column.name)}::${column.sqlType}`, quoteIdentifier(column.name)]
    return `rtrim((${cast})::text) = rtrim(${given}::text)`
  })
  const deletes = `${quoteIdentifier(SHAPE)} IN (${numbers.join(', ')})`
  return ` WHERE NOT (${deletes}) OR (${whole.join(' AND ')})`
}

function deletesAmong(shapes: readonly MergeShape[]): number[] {
  return shapes.filter(shape => shape.deletes).map(shape => shape.number)
}

function keyColumns(written: readonly MergeColumn[], conflict: Conflict): MergeColumn[] {
  return written.filter(({ name }) => conflict.keys.includes(name))
}

function writeFrom(
  source: Source,
  table: TableParts,
  written: readonly MergeColumn[],
  conflict: Conflict,
): string {
  return deletesAmong(source.shapes).length > 0
    ? changeFrom(source, table, written, conflict)
    : upsertFrom(source, table, written, conflict)
}

/**
 * DISTINCT ON takes NULLs for equal, a unique index does not (unless it says so): a row with a NULL in its key is told
 * apart by its ordinal, for none of those may be dropped. DO NOTHING keeps the first of equal rows by itself.
 */
function upsertFrom(
  { from, keyOf }: Source,
  table: TableParts,
  written: readonly MergeColumn[],
  conflict: Conflict,
): string {
  const names = quoteList(written.map(column => column.name))
  const ordinal = quoteIdentifier(ORDINAL)
  const keys = keyColumns(written, conflict).map(column => keyOf(column))
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

/**
 * Upserts and deletes: of rows with equal keys the last one says what is done. One statement, so that foreign keys are
 * looked at when all is done, in three steps: rows that are there are locked by the order of their keys; what is to go
 * goes, and frees its other unique keys; the rest is upserted.
 */
function changeFrom(
  { from, shapes, keyOf }: Source,
  table: TableParts,
  written: readonly MergeColumn[],
  conflict: Conflict,
): string {
  const [names, ordinal, shape] = [
    quoteList(written.map(column => column.name)),
    quoteIdentifier(ORDINAL),
    quoteIdentifier(SHAPE),
  ]
  const columns = keyColumns(written, conflict)
  const keys = columns.map(column => keyOf(column))
  const guard = conflict.nullsNotDistinct ? [] : [nullGuard(keys, ordinal)]
  const distinct = [...keys, ...guard].join(', ')
  const same = columns.map(column => {
    const equals = conflict.equals![conflict.keys.indexOf(column.name)]
    return `pg_batch_target.${quoteIdentifier(column.name)} ${equals} ${keyOf(column, 'pg_batch_last')}`
  })
  const deletes = deletesAmong(shapes)
  const isDelete = `${shape} IN (${deletes.join(', ')})`
  const target = `${quoteTable(table)} AS pg_batch_target`
  const order = columns.map(column => keyOf(column, 'pg_batch_last')).join(', ')
  const last =
    `WITH pg_batch_last AS (SELECT DISTINCT ON (${distinct}) ${names}, ${shape} FROM ${from} ` +
    `ORDER BY ${distinct}, ${ordinal} DESC)`
  // no weaker lock would keep an upsert out, and a stronger one would wait for rows that refer to these
  const locked =
    `pg_batch_locked AS (SELECT 1 FROM ${target} JOIN pg_batch_last ON ${same.join(' AND ')} ` +
    `ORDER BY ${order} FOR NO KEY UPDATE OF pg_batch_target)`
  // a count is known only when all of it is done
  const afterLocks = '(SELECT count(*) FROM pg_batch_locked) >= 0'
  const deleted = `DELETE FROM ${target} USING pg_batch_last WHERE ${isDelete} AND ${same.join(' AND ')} AND ${afterLocks}`
  if (deletes.length === shapes.length) return `${last}, ${locked} ${deleted}`
  return (
    `${last}, ${locked}, pg_batch_deleted AS (${deleted} RETURNING 1) ` +
    `INSERT INTO ${quoteTable(table)} (${names}) SELECT ${names} FROM pg_batch_last ` +
    `WHERE NOT ${isDelete} AND (SELECT count(*) FROM pg_batch_deleted) >= 0 ORDER BY ${order}` +
    conflictClause(conflict)
  )
}

function nullGuard(keys: readonly string[], ordinal: string): string {
  return `CASE WHEN ${keys.map(key => `${key} IS NULL`).join(' OR ')} THEN ${ordinal} END`
}
