import type { Transaction } from '../../connection/transaction/transaction.ts'

/**
 * The names of the constraints that are deferrable, and checked with each statement where nothing else is
 * set. Those of partitions follow the one of the table.
 */
const IMMEDIATE_SQL = `SELECT
    pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, k.conname), ', ') AS names
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
  WHERE k.condeferrable AND NOT k.condeferred AND k.conparentid = 0
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')`

/** Checks all rows so far, and each further row with its statement. */
export const CHECK_CONSTRAINTS = 'SET CONSTRAINTS ALL IMMEDIATE'

/**
 * Returns statements that undo {@link CHECK_CONSTRAINTS}: each constraint is checked when it was declared to
 * be.
 * @see https://www.postgresql.org/docs/current/sql-set-constraints.html
 */
export async function deferConstraints(transaction: Transaction): Promise<string> {
  const { rows } = await transaction.query(IMMEDIATE_SQL)
  const { names } = rows[0] as { names: string | null }
  const all = 'SET CONSTRAINTS ALL DEFERRED'
  return names === null ? all : `${all}; SET CONSTRAINTS ${names} IMMEDIATE`
}
