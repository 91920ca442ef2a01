import type pg from 'pg'
import { parseTableName } from '../table/identifier.ts'
import { INTROSPECTION_SQL, introspectionValues, readTable } from '../table/introspect.ts'
import type { Table } from '../types.ts'
import type { Database } from './database.ts'
import { dataFailure } from './failure.ts'
import { didYouMean } from './nearest.ts'

/** Learns the table before a row is read, so that a wrong name is told at once, with the likely ones. */
export async function findTable(database: Database, name: string): Promise<Table> {
  const { rows } = await database.pool.query(INTROSPECTION_SQL, introspectionValues(parseTableName(name)))
  if (rows[0]) return readTable(rows[0] as Record<string, unknown>)
  const known = await tableNames(database.pool)
  const hint = known.length === 0 ? '; there are no tables in it yet' : didYouMean(name, known)
  throw dataFailure(`there is no table "${name}" in ${database.name}${hint}`)
}

async function tableNames(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v') AND n.nspname !~ '^(pg_|information_schema$)'
    ORDER BY 1 LIMIT 1000`)
  return rows.map(row => row.name)
}
