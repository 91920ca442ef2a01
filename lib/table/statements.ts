import type { Column } from '../types.ts'
import { quoteIdentifier, quoteList, quoteLiteral, quoteTable, type TableParts } from './identifier.ts'

/**
 * The SQL of every write, as text made of quoted identifiers, placeholders and catalogue names of types. No value
 * ever becomes part of it.
 */

/** The protocol counts parameters in 16 bits. @see https://www.postgresql.org/docs/current/limits.html */
export const MAX_PARAMETERS = 65_535

/** An ON CONFLICT clause, its defaults resolved. */
export interface Conflict {
  readonly target?: readonly string[] | { readonly constraint: string }
  readonly action: 'nothing' | 'update'
  /** The columns of the target; empty when nothing is known of them, or some are not written. */
  readonly keys: readonly string[]
  /** For each of them the operator that says which values are equal. */
  readonly equals: readonly string[]
  /** NULLs in the key are equal to each other (UNIQUE NULLS NOT DISTINCT). */
  readonly nullsNotDistinct: boolean
  /** How many columns of the table a row may bring or leave to the server; generated ones are not among them. */
  readonly columnCount: number
  /** Only the order of rows is right: triggers may change or drop them, or more than one key decides. */
  readonly inOrder: boolean
  /** Rows may conflict by another unique key than the target's. */
  readonly severalKeys: boolean
  /** Equal keys are the same, byte by byte: it does not matter which row's is stored. */
  readonly foldable: boolean
  /** Where a row brings no value for a key's column, the DEFAULT makes one that no other row has. */
  readonly uniqueDefaults: boolean
  /** The columns that an update sets. */
  readonly update: readonly string[]
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
 * Asks whether columns still have the types that they had when the table was introspected, and still are NOT NULL or have
 * a DEFAULT where they did. Behind a binary COPY, which carries
 * no types, and in the same transaction, whose lock keeps them as they are: had an ALTER TABLE come before, bytes of a
 * bigint would have been read as a float8's.
 */
export function sameTypesStatement(
  table: TableParts,
  columns: readonly Pick<Column, 'name' | 'type' | 'flags'>[],
): string {
  const names = columns.map(({ name }) => quoteLiteral(name)).join(', ')
  const types = columns.map(({ type }) => type.oid).join(', ')
  const flags = columns.map(({ flags = '' }) => quoteLiteral(flags)).join(', ')
  return (
    `SELECT (pg_catalog.count(*) = ${columns.length})::text AS pg_batch_same FROM pg_catalog.pg_attribute ` +
    `WHERE attrelid = ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass AND NOT attisdropped AND (attname, atttypid, pg_catalog.concat(attnotnull::int, atthasdef::int)) ` +
    `IN (SELECT * FROM ROWS FROM (pg_catalog.unnest(ARRAY[${names}]::name[]), pg_catalog.unnest(ARRAY[${types}]::oid[]), pg_catalog.unnest(ARRAY[${flags}]::text[])))`
  )
}

/**
 * Takes the lock of an INSERT, which keeps a table's columns as they are until the transaction ends. LOCK TABLE would need
 * more privileges than INSERT before PostgreSQL 16; parsing an INSERT takes the same lock and runs nothing.
 */
export function lockStatement(table: TableParts): string {
  return `PREPARE pg_batch_lock AS INSERT INTO ${quoteTable(table)} DEFAULT VALUES; DEALLOCATE pg_batch_lock`
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

/** @see https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
export function conflictClause(conflict: Conflict | undefined): string {
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
