import type pg from 'pg'
import { type BenchRow, COLUMNS } from './rows.ts'

export const TABLE = 'bench_rows'

export interface TableOptions {
  readonly table?: string
  readonly key?: boolean
  readonly defaults?: Readonly<Partial<Record<keyof BenchRow, string>>>
}

/** Makes the table anew; with a primary key where rows are upserted, and DEFAULTs, as SQL, where keys are absent. */
export async function makeTable(
  pool: pg.Pool,
  { key = false, table = TABLE, defaults = {} }: TableOptions = {},
): Promise<void> {
  const columns = COLUMNS.map(({ name, type }) => {
    const sqlDefault = defaults[name] === undefined ? '' : ` DEFAULT ${defaults[name]}`
    return `${name} ${type}${sqlDefault}${key && name === 'id' ? ' PRIMARY KEY' : ''}`
  })
  await pool.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${columns.join(', ')})`)
}

/** Empties the table, and has what earlier runs wrote go to disk before a clock runs. */
export async function emptyTable(pool: pg.Pool, table = TABLE): Promise<void> {
  await pool.query(`TRUNCATE ${table}`)
  await pool.query('CHECKPOINT')
}

/** A time counts only when every row is in the table, once. @throws when it is not so */
export async function checkCount(pool: pg.Pool, expected: number, table = TABLE): Promise<void> {
  const { rows } = await pool.query<{ rows: number; ids: number }>(
    `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids FROM ${table}`,
  )
  const { rows: found, ids } = rows[0]!
  if (found !== expected || ids !== expected) {
    throw new Error(`Expected ${expected} rows in ${table}, found ${found} with ${ids} different ids`)
  }
}
