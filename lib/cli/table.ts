import type pg from 'pg'
import type { Source } from '../sources/open-source.ts'
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

/** The columns to write: those asked for, else those of the header; undefined when each row names its own. */
export function chooseColumns(
  source: Source,
  table: Table,
  wanted: readonly string[] | undefined,
): readonly string[] | undefined {
  const known = table.columns.map(column => column.name)
  const [names, from] = wanted ? [wanted, '--columns'] : [source.header ?? [], `${source.name}: the header`]
  for (const name of names) {
    if (known.includes(name)) continue
    const has = `which has: ${known.join(', ')}`
    throw dataFailure(`${from} names "${name}", no column of ${table.name}, ${has}${didYouMean(name, known)}`)
  }
  checkHeader(source, wanted ?? [])
  return wanted ?? source.header
}

function checkHeader({ name, header }: Source, wanted: readonly string[]): void {
  if (!header) return
  for (const column of wanted) {
    if (header.includes(column)) continue
    const has = `whose header has: ${header.join(', ')}`
    throw dataFailure(`--columns names "${column}", not in ${name}, ${has}${didYouMean(column, header)}`)
  }
}
