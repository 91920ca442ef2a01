import { quoteIdentifier, quoteLiteral, quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import { queryInTime } from './query-in-time.ts'
import type { QueryPool } from './query-pool.ts'

const SEQUENCE = `SELECT s.name, q.seqincrement < 0 AS descends
  FROM pg_catalog.pg_get_serial_sequence($1, $2) AS s(name)
  JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.name::pg_catalog.regclass`

/**
 * Returns for each identity column that has values of the file the statement that moves its sequence past
 * them. The statement never moves a sequence back, and does nothing if the table is empty.
 * @param written the columns that the rows have; undefined if each row names its own
 */
export async function sequenceHints(
  pool: QueryPool,
  table: Table,
  written: readonly string[] | undefined,
): Promise<string[]> {
  const hints: string[] = []
  for (const { name, identity } of table.columns) {
    const isWritten = written ? written.includes(name) && identity !== 'none' : identity === 'kept'
    if (!isWritten) continue
    const { rows } = await queryInTime(pool, SEQUENCE, [quoteTable(table), name])
    if (!rows[0]) continue
    const column = quoteIdentifier(name)
    const sql = setvalSql(quoteTable(table), column, rows[0])
    hints.push(`${table.name}: ${column} has the values of the file; to continue after them, run: ${sql}`)
  }
  return hints
}

function setvalSql(
  table: string,
  column: string,
  { name: sequence, descends }: { readonly name: string; readonly descends: boolean },
): string {
  const last = descends ? `min(${column})` : `max(${column})`
  const isPast = `${last} ${descends ? '<=' : '>='} (SELECT last_value FROM ${sequence})`
  return `SELECT setval(${quoteLiteral(sequence)}, ${last}) FROM ${table} HAVING ${isPast};`
}
