import { quoteIdentifier, quoteList, quoteTable, type TableParts } from './identifier.ts'

/**
 * The SQL of every write, as text made of quoted identifiers, placeholders and catalogue names of types. No value
 * ever becomes part of it.
 */

/** The protocol counts parameters in 16 bits. @see https://www.postgresql.org/docs/current/limits.html */
export const MAX_PARAMETERS = 65_535

/** The two columns that a staging table has beyond the target's. */
export const STAGING_ORDINAL = 'pg_batch_ordinal'
export const STAGING_SHAPE = 'pg_batch_shape'

/** An ON CONFLICT clause, its defaults resolved. */
export interface Conflict {
  readonly target?: readonly string[] | { readonly constraint: string }
  readonly action: 'nothing' | 'update'
  /** The columns of the target; empty when nothing is known of them. */
  readonly keys: readonly string[]
  /** NULLs in the key are equal to each other (UNIQUE NULLS NOT DISTINCT). */
  readonly nullsNotDistinct: boolean
  /** The columns that an update sets. */
  readonly update: readonly string[]
}

/** A column in VALUES whose type has to be said, since nothing else tells it. */
export interface TypedColumn {
  readonly name: string
  readonly sqlType: string
}

/** `COPY t (a, b) FROM STDIN`. Text COPY takes its default format's delimiter, NULL and escapes. */
export function copyStatement(
  table: TableParts,
  columns: readonly string[],
  format: 'binary' | 'text',
): string {
  return `COPY ${quoteTable(table)} (${quoteList(columns)}) FROM STDIN (FORMAT ${format})`
}

/**
 * `INSERT INTO t (a, b) VALUES ($1, DEFAULT), …`.
 * @param cells for each row, for each column: true for a parameter, false for DEFAULT
 */
export function insertStatement(
  table: TableParts,
  columns: readonly string[],
  cells: readonly (readonly boolean[])[],
  conflict?: Conflict,
): string {
  let parameter = 0
  const rows = cells.map(row => `(${row.map(given => (given ? `$${++parameter}` : 'DEFAULT')).join(', ')})`)
  const into = columns.length === 0 ? '' : ` (${quoteList(columns)})`
  const values = columns.length === 0 ? 'DEFAULT VALUES' : `VALUES ${rows.join(', ')}`
  return `INSERT INTO ${quoteTable(table)}${into} ${values}${conflictClause(conflict)}`
}

/**
 * An INSERT that takes rows with equal keys, whatever their type calls equal: the server dedupes (the last row
 * wins) and sorts them by key, so that parallel writers lock rows in one order.
 */
export function upsertStatement(
  table: TableParts,
  columns: readonly TypedColumn[],
  rowCount: number,
  conflict: Conflict,
): string {
  const names = columns.map(column => column.name)
  const rows: string[] = []
  let parameter = 0
  for (let row = 0; row < rowCount; row++) {
    // the first row's casts give the whole VALUES list its types
    const cells = columns.map(column =>
      row === 0 ? `$${++parameter}::${column.sqlType}` : `$${++parameter}`,
    )
    rows.push(`(${[...cells, row].join(', ')})`)
  }
  const values = `(VALUES ${rows.join(', ')}) AS pg_batch (${quoteList([...names, STAGING_ORDINAL])})`
  const keyed = conflict.keys.every(key => names.includes(key))
  return insertSelect(
    table,
    names,
    dedupedSelect(names, values, keyed ? conflict : withoutKeys(conflict)),
    conflict,
  )
}

/** A staging table with the target's columns and types and none of its constraints, gone at COMMIT. */
export function createStagingStatement(
  staging: string,
  table: TableParts,
  columns: readonly string[],
): string {
  const extra = [`0 AS ${quoteIdentifier(STAGING_ORDINAL)}`, `0 AS ${quoteIdentifier(STAGING_SHAPE)}`]
  const select = [...columns.map(quoteIdentifier), ...extra].join(', ')
  return `CREATE TEMP TABLE ${quoteIdentifier(staging)} ON COMMIT DROP AS SELECT ${select} FROM ${quoteTable(table)} WITH NO DATA`
}

/** The rows that came with one set of columns. */
export interface Shape {
  readonly number: number
  readonly columns: readonly string[]
}

/**
 * Moves a staging table's rows into the target, one statement for each shape. Of rows with equal keys the last one
 * wins, also across shapes.
 */
export function mergeStatements(
  staging: string,
  table: TableParts,
  shapes: readonly Shape[],
  conflict: Conflict,
): string[] {
  const from = `pg_temp.${quoteIdentifier(staging)}`
  const keyless = shapes.filter(shape => !conflict.keys.every(key => shape.columns.includes(key)))
  return shapes.map(shape => {
    const only = shapes.length > 1 ? shape : undefined
    return insertSelect(
      table,
      shape.columns,
      dedupedSelect(shape.columns, from, conflict, keyless, only),
      conflict,
    )
  })
}

function insertSelect(
  table: TableParts,
  columns: readonly string[],
  select: string,
  conflict: Conflict,
): string {
  return `INSERT INTO ${quoteTable(table)} (${quoteList(columns)}) ${select}${conflictClause(conflict)}`
}

/**
 * Selects one row for each key. DISTINCT ON takes NULLs for equal, a unique index does not, so a row with a NULL in
 * its key, or without a key of its own, is told apart by its ordinal: none of those may be dropped.
 */
function dedupedSelect(
  columns: readonly string[],
  from: string,
  conflict: Conflict,
  keyless: readonly Shape[] = [],
  only?: Shape,
): string {
  const ordinal = quoteIdentifier(STAGING_ORDINAL)
  const where = only ? ` WHERE ${quoteIdentifier(STAGING_SHAPE)} = ${only.number}` : ''
  const keys = conflict.keys.map(quoteIdentifier)
  // DO NOTHING keeps the first of equal rows by itself; the order is for the locks alone
  if (conflict.action === 'nothing' || keys.length === 0) {
    return `SELECT ${quoteList(columns)} FROM ${from}${where} ORDER BY ${[...keys, ordinal].join(', ')}`
  }
  const apart = conflict.nullsNotDistinct
    ? keyless.map(shape => `${quoteIdentifier(STAGING_SHAPE)} = ${shape.number}`)
    : keys.map(key => `${key} IS NULL`)
  const distinct =
    apart.length === 0 ? keys : [...keys, `CASE WHEN ${apart.join(' OR ')} THEN ${ordinal} END`]
  const select = (list: string) =>
    `SELECT DISTINCT ON (${distinct.join(', ')}) ${list} FROM ${from} ORDER BY ${distinct.join(', ')}, ${ordinal} DESC`
  return only
    ? `SELECT ${quoteList(columns)} FROM (${select('*')}) AS pg_batch${where}`
    : select(quoteList(columns))
}

function withoutKeys(conflict: Conflict): Conflict {
  return { ...conflict, keys: [] }
}

/** @see https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
function conflictClause(conflict: Conflict | undefined): string {
  if (!conflict) return ''
  const { target, action, update } = conflict
  const on = !target
    ? ''
    : 'constraint' in target
      ? ` ON CONSTRAINT ${quoteIdentifier(target.constraint)}`
      : ` (${quoteList(target)})`
  if (action === 'nothing' || update.length === 0) return ` ON CONFLICT${on} DO NOTHING`
  const set = update.map(column => `${quoteIdentifier(column)} = EXCLUDED.${quoteIdentifier(column)}`)
  return ` ON CONFLICT${on} DO UPDATE SET ${set.join(', ')}`
}
