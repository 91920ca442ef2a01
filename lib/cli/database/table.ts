import type { PgClientLike } from '../../connection/pg-types.ts'
import { Lease } from '../../connection/pool/lease.ts'
import { didYouMean } from '../../options/did-you-mean.ts'
import { parseTableName, quoteTable } from '../../table/identifier.ts'
import { INTROSPECTION_SQL, introspectionValues, readTable } from '../../table/introspect.ts'
import type { Table } from '../../types.ts'
import { dataFailure } from '../exit-error.ts'
import type { Database } from './database.ts'
import type { QueryPool } from './query-pool.ts'

/** Learns the table before a row is read, so that a wrong name is told at once, with the likely ones. */
export async function findTable(database: Database, name: string): Promise<Table> {
  const { rows } = await database.pool.query(INTROSPECTION_SQL, introspectionValues(parseTableName(name)))
  if (rows[0]) return readTable(rows[0] as Record<string, unknown>)
  const known = await tableNames(database.pool)
  const hint = known.length === 0 ? '; there are no tables in it yet' : didYouMean(name, known)
  throw dataFailure(`there is no table "${name}" in ${database.name}${hint}`)
}

async function tableNames(pool: QueryPool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v') AND n.nspname !~ '^(pg_|information_schema$)'
    ORDER BY 1 LIMIT 1000`)
  return rows.map(row => row.name)
}

export async function tableExists(pool: QueryPool, name: string): Promise<boolean> {
  const { rows } = await pool.query(INTROSPECTION_SQL, introspectionValues(parseTableName(name)))
  return rows.length > 0
}

export async function isEmpty(pool: QueryPool, name: string): Promise<boolean> {
  const { rows } = await pool.query(`SELECT 1 FROM ${quoteTable(parseTableName(name))} LIMIT 1`)
  return rows.length === 0
}

/** Runs a statement of ours that the data or the user had a part in. */
export async function execute(pool: QueryPool, sql: string, what: string): Promise<void> {
  try {
    await pool.query(sql)
  } catch (error) {
    throw dataFailure(`${what}: ${(error as Error).message}`, error)
  }
}

/** Takes the table away again when nothing came into it, so that the command can be run again as it is. */
export async function dropIfEmpty(pool: QueryPool, name: string): Promise<boolean> {
  const table = quoteTable(parseTableName(name))
  try {
    return await Lease.use(pool, client => dropUnlessFilled(client, table))
  } catch {
    return false // a load that failed tells its own reason, which may well be the reason for this, too
  }
}

async function dropUnlessFilled(client: PgClientLike, table: string): Promise<boolean> {
  try {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE NOWAIT`)
    const { rows } = await client.query(`SELECT 1 FROM ${table} LIMIT 1`)
    if (rows.length === 0) await client.query(`DROP TABLE ${table}`)
    await client.query('COMMIT')
    return rows.length === 0
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
