import type { Column, PgType } from '../types.ts'
import { IS_ROW_TRIGGER } from './catalogue/row-trigger.ts'
import { IN_UTC_SQL } from './catalogue/types-sql.ts'
import { quoteIdentifier, quoteList, quoteLiteral, quoteTable, type TableParts } from './identifier.ts'

/**
 * The SQL of every write. Its text consists of quoted identifiers, placeholders and names of types from the
 * catalogue. No value becomes part of it.
 */

/** The protocol counts parameters in 16 bits. @see https://www.postgresql.org/docs/current/limits.html */
export const MAX_PARAMETERS = 65_535

/** `COPY t (a, b) FROM STDIN`. Text COPY has its default delimiter, NULL and escapes. */
export function copyStatement(
  table: TableParts,
  columns: readonly string[],
  format: 'binary' | 'text',
  marksDefaults = false,
): string {
  const marker = marksDefaults ? ", DEFAULT '\\D'" : ''
  return `COPY ${quoteTable(table)} (${quoteList(columns)}) FROM STDIN (FORMAT ${format}${marker})`
}

type CheckedColumn = Pick<Column, 'name' | 'type' | 'flags'>

export interface CheckOptions {
  /** Local times were sent as instants in UTC, if the session was in UTC. */
  readonly sendsLocalTimes?: boolean
  /** The session's transactions are at REPEATABLE READ or SERIALIZABLE. */
  readonly keepsSnapshot?: boolean
}

/** A setting that does not exist. Reading it fails with a message that names it, in every language. */
export const TABLE_CHANGED_SETTING = 'pg_batch.table_has_changed'

/**
 * Fails unless columns still have the types that they had when the table was introspected, and are NOT NULL
 * or have a DEFAULT as they did. For money it also asks whether the session has the lc_monetary for which
 * amounts are encoded, and for local times whether it is still in UTC.
 *
 * Binary COPY needs it, because it carries no types: after an ALTER TABLE the bytes of a bigint would be read
 * as a float8. It runs in the same transaction, under a lock on the table that keeps the columns as they are:
 * after the COPY, or before it and after {@link lockStatement}. As it fails, a COMMIT may be sent with it.
 */
export function requireSameTypes(
  table: TableParts,
  columns: readonly CheckedColumn[],
  options?: CheckOptions,
): string {
  return requirement(areSame(table, columns, options)) + fromColumns(table, columns)
}

/**
 * Fails if the table, or a partition, has triggers that may drop a row. It runs after rows that were counted
 * on to be inserted, all of them, under the lock that keeps other triggers away.
 * @param isPartitioned a table cannot become partitioned, and to look for partitions takes twice as long
 */
export function requireNoRowTriggers(table: TableParts, isPartitioned: boolean): string {
  const name = `${quoteLiteral(quoteTable(table))}::pg_catalog.regclass`
  const among = isPartitioned
    ? `IN (SELECT ${name}::oid UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(${name}))`
    : `= ${name}`
  return (
    `${requirement('pg_catalog.count(*) = 0')}FROM pg_catalog.pg_trigger ` +
    `WHERE ${IS_ROW_TRIGGER} AND tgrelid ${among}`
  )
}

/** Returns a query whose value is NULL. It fails if a column has lost its NOT NULL. */
export function requireNotNull(table: TableParts, column: string): string {
  return (
    `${requirement('attnotnull')}FROM pg_catalog.pg_attribute ` +
    `WHERE attrelid = ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass ` +
    `AND attname = ${quoteLiteral(column)}`
  )
}

function requirement(condition: string): string {
  const fail = `pg_catalog.current_setting('${TABLE_CHANGED_SETTING}')`
  return `SELECT CASE WHEN NOT (${condition}) THEN ${fail} END `
}

/** Returns the condition that is true of the rows of `fromColumns` if no column has changed. */
function areSame(
  table: TableParts,
  columns: readonly CheckedColumn[],
  { sendsLocalTimes = false, keepsSnapshot = false }: CheckOptions = {},
): string {
  const conditions = [`pg_catalog.count(*) = ${columns.length}`]
  if (keepsSnapshot) conditions.push(...typesAsParsed(table, columns))
  const locale = columns.map(({ type }) => monetaryLocaleOf(type)).find(found => found !== undefined)
  if (locale !== undefined) {
    conditions.push(`pg_catalog.current_setting('lc_monetary') = ${quoteLiteral(locale)}`)
  }
  if (sendsLocalTimes && columns.some(({ type }) => type.inUtc)) conditions.push(IN_UTC_SQL)
  return conditions.join(' AND ')
}

/**
 * Returns conditions that columns have their types as the parser finds them, which reads the catalogue as it
 * is now. A query at REPEATABLE READ reads it as it was when the transaction began, although an ALTER TABLE
 * may have been committed while the transaction waited for its lock.
 */
function typesAsParsed(table: TableParts, columns: readonly CheckedColumn[]): string[] {
  const row = `(NULL::${quoteTable(table)})`
  return columns.map(
    ({ name, type }) => `pg_catalog.pg_typeof(${row}.${quoteIdentifier(name)})::oid = ${type.oid}`,
  )
}

/**
 * Selects the columns that are as they were. Compares one text for each column: to compare rows of several
 * values takes the server three times as long.
 */
function fromColumns(table: TableParts, columns: readonly CheckedColumn[]): string {
  const expected = columns.map(({ name, type, flags = '' }) => quoteLiteral(`${type.oid} ${flags} ${name}`))
  return (
    `FROM pg_catalog.pg_attribute WHERE attrelid = ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass ` +
    'AND NOT attisdropped AND ' +
    "pg_catalog.concat(atttypid, ' ', attnotnull::int, atthasdef::int, ' ', attname) " +
    `= ANY (ARRAY[${expected.join(', ')}]::text[])`
  )
}

function monetaryLocaleOf({
  monetaryLocale,
  base,
  element,
  subtype,
  attributes = [],
}: PgType): string | undefined {
  const parts = [base, element, subtype, ...attributes].filter(part => part !== undefined)
  return monetaryLocale ?? parts.map(monetaryLocaleOf).find(found => found !== undefined)
}

/**
 * Takes the lock of an INSERT, which keeps the columns of a table as they are until the transaction ends.
 * LOCK TABLE needs more privileges than INSERT before PostgreSQL 16; parsing an INSERT takes the same lock
 * and writes nothing.
 */
export function lockStatement(table: TableParts): string {
  return `PREPARE pg_batch_lock AS INSERT INTO ${quoteTable(table)} DEFAULT VALUES; DEALLOCATE pg_batch_lock`
}

/**
 * `INSERT INTO t (a, b) VALUES ($1, DEFAULT), …`.
 * @param cells for each row, for each column: true for a parameter, false for DEFAULT
 * @param options.onConflict the clause, as `conflictClause` makes it
 * @param options.overrides the rows have values for identity columns that are GENERATED ALWAYS
 */
export function insertStatement(
  table: TableParts,
  columns: readonly string[],
  cells: readonly (readonly boolean[])[],
  { onConflict = '', overrides = false }: { onConflict?: string | undefined; overrides?: boolean } = {},
): string {
  let parameter = 0
  const rows = cells.map(
    row => `(${row.map(hasValue => (hasValue ? `$${++parameter}` : 'DEFAULT')).join(', ')})`,
  )
  const into = insertInto(columns, overrides)
  const values = columns.length === 0 ? 'DEFAULT VALUES' : `VALUES ${rows.join(', ')}`
  return `INSERT INTO ${quoteTable(table)}${into} ${values}${onConflict}`
}

/**
 * Returns the columns of an INSERT.
 * @see https://www.postgresql.org/docs/current/sql-insert.html
 */
export function insertInto(columns: readonly string[], overrides: boolean): string {
  if (columns.length === 0) return ''
  return ` (${quoteList(columns)})${overrides ? ' OVERRIDING SYSTEM VALUE' : ''}`
}
