import type { Column } from '../types.ts'
import { quoteIdentifier, quoteLiteral, quoteTable, type TableParts } from './identifier.ts'

/** A column that a table gains. */
export interface AddedColumn {
  readonly name: string
  /** Its type in SQL. */
  readonly type: string
}

/** A column whose type changes to one that holds every value of the old type. */
export interface WidenedColumn {
  readonly name: string
  /** The type in SQL, with its modifier. */
  readonly from: string
  readonly to: string
}

/** How a table changes. */
export interface TableChange {
  readonly added: readonly AddedColumn[]
  readonly widened: readonly WidenedColumn[]
}

/** The server's answer to the statements that list the columns of a table. */
export interface ListedColumns {
  readonly rows: readonly Record<string, unknown>[]
}

/**
 * Returns one ALTER TABLE statement for a change that is not empty.
 * @param indent begins each action: a line break and spaces for people, or a space
 */
export function alterTableSql(table: TableParts, { added, widened }: TableChange, indent = ' '): string {
  const actions = [
    ...added.map(({ name, type }) => `ADD COLUMN IF NOT EXISTS ${quoteIdentifier(name)} ${type}`),
    ...widened.map(({ name, to }) => `ALTER COLUMN ${quoteIdentifier(name)} TYPE ${to}`),
  ]
  return `ALTER TABLE ${quoteTable(table)}${actions.map(action => `${indent}${action}`).join(',')}`
}

/**
 * Returns statements that wait until no other writer changes the table, and then list its columns. Writers
 * that wait here do not stop readers of the table, as they would if they waited for the lock of ALTER TABLE.
 * @param lockTimeoutMs how long this transaction waits for any lock
 */
export function beginChangeSql(table: TableParts, lockTimeoutMs: number): string {
  return (
    `SET LOCAL lock_timeout = ${lockTimeoutMs}; ` +
    "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pg-batch-streams: ALTER TABLE'), " +
    `${relationOf(table)}::pg_catalog.oid::int); ${listColumns(table)}`
  )
}

/**
 * Returns statements that wait until no other session uses the table, and then list its columns. LOCK TABLE
 * would need rights that an owner may have revoked: an ALTER TABLE that changes nothing locks as well.
 */
export function lockAndListColumns(table: TableParts): string {
  return (
    'SET LOCAL client_min_messages = warning; ' +
    `ALTER TABLE ${quoteTable(table)} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(NO_CONSTRAINT)}; ` +
    listColumns(table)
  )
}

/** The name of no constraint. */
const NO_CONSTRAINT = 'pg-batch-streams: only for the lock'

function listColumns(table: TableParts): string {
  return (
    'SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type ' +
    `FROM pg_catalog.pg_attribute a WHERE a.attrelid = ${relationOf(table)} ` +
    'AND a.attnum > 0 AND NOT a.attisdropped'
  )
}

function relationOf(table: TableParts): string {
  return `${quoteLiteral(quoteTable(table))}::pg_catalog.regclass`
}

/**
 * Returns what of a change is still to be done: another writer may have added or widened the columns.
 * @param listed the name and the type of each column that the table has
 */
export function changeLeft({ added, widened }: TableChange, listed: ListedColumns): TableChange {
  const types = new Map(listed.rows.map(({ name, type }) => [name, type]))
  return {
    added: added.filter(({ name }) => !types.has(name)),
    widened: widened.filter(({ name, from }) => types.get(name) === from),
  }
}

export function isEmptyChange({ added, widened }: TableChange): boolean {
  return added.length === 0 && widened.length === 0
}

/** NAMEDATALEN - 1. The server truncates longer names. */
export const MAX_NAME_BYTES = 63

/** Every table has these columns, which are not in its definition. */
const SYSTEM_COLUMNS: readonly string[] = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']

/**
 * Returns why a table cannot gain a column of this name, as the end of the sentence `It cannot be added: …`;
 * undefined if it can.
 */
export function whyNoNewColumn(name: string, columns: readonly Pick<Column, 'name'>[]): string | undefined {
  if (name === '') return 'a column needs a name'
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its name is longer than ${MAX_NAME_BYTES} bytes`
  if (name.includes('\0') || /\p{Surrogate}/u.test(name)) return 'its name has a character that no name has'
  if (SYSTEM_COLUMNS.includes(name)) return 'every table has a system column of this name'
  const lower = name.toLowerCase()
  const near = columns.find(column => column.name.toLowerCase() === lower)
  return near && `it differs from the column ${JSON.stringify(near.name)} only in case`
}
