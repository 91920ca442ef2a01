import { noteStatementError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { quoteLiteral, quoteTable, type TableParts } from '../../table/identifier.ts'

/**
 * Returns a query for the names of a table's constraints, and of the foreign keys to it, that are deferrable
 * and checked with each statement where nothing else is set. Those of partitions follow the one of the table.
 * Constraints of other tables, which triggers may write, are checked at the end of each piece.
 */
function immediateConstraints(table: TableParts): string {
  const name = quoteLiteral(quoteTable(table))
  const tree = `(SELECT ${name}::pg_catalog.regclass::oid
    UNION SELECT relid FROM pg_catalog.pg_partition_tree(${name}))`
  return `SELECT
    pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, k.conname), ', ') AS names
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
  WHERE k.condeferrable AND NOT k.condeferred AND k.conparentid = 0
    AND (k.conrelid IN ${tree} OR k.confrelid IN ${tree})
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')`
}

/** Checks all rows so far, and each further row with its statement. */
export const CHECK_CONSTRAINTS = 'SET CONSTRAINTS ALL IMMEDIATE'

/**
 * Runs the statements that {@link deferralOf} has returned. They fail where a constraint has gone since, for
 * which no row is to blame.
 */
export async function deferConstraints(transaction: Transaction, deferral: string): Promise<void> {
  try {
    await transaction.query(deferral)
  } catch (error) {
    noteStatementError(error as Error)
    throw error
  }
}

/**
 * Returns statements that undo {@link CHECK_CONSTRAINTS}: each constraint is checked when it was declared to
 * be.
 * @see https://www.postgresql.org/docs/current/sql-set-constraints.html
 */
export async function deferralOf(transaction: Transaction, table: TableParts): Promise<string> {
  const { rows } = await transaction.query(immediateConstraints(table))
  const { names } = rows[0] as { names: string | null }
  const all = 'SET CONSTRAINTS ALL DEFERRED'
  return names === null ? all : `${all}; SET CONSTRAINTS ${names} IMMEDIATE`
}
