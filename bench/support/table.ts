import type pg from 'pg'
import { type BenchRow, COLUMNS } from './rows.ts'

export const TABLE = 'bench_rows'

export interface Column {
  readonly name: string
  readonly type: string
}

export interface TableOptions {
  readonly table?: string
  readonly columns?: readonly Column[]
  readonly key?: boolean
  readonly defaults?: Readonly<Partial<Record<keyof BenchRow, string>>>
}

/** Makes the table anew; with a primary key where rows are upserted, and DEFAULTs, as SQL, where keys are absent. */
export async function makeTable(
  pool: pg.Pool,
  { key = false, table = TABLE, columns = COLUMNS, defaults = {} }: TableOptions = {},
): Promise<void> {
  const definitions = columns.map(({ name, type }) => {
    const value = defaults[name as keyof BenchRow]
    const sqlDefault = value === undefined ? '' : ` DEFAULT ${value}`
    return `${name} ${type}${sqlDefault}${key && name === 'id' ? ' PRIMARY KEY' : ''}`
  })
  await pool.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${definitions.join(', ')})`)
}

/** Empties the table, and has what earlier runs wrote go to disk before a clock runs. */
export async function emptyTable(pool: pg.Pool, table = TABLE): Promise<void> {
  await pool.query(`TRUNCATE ${table}`)
  await pool.query('CHECKPOINT')
}

/** A time counts only when every row is in the table, once. @throws when it is not so */
export async function checkCount(
  pool: pg.Pool,
  expected: number,
  table = TABLE,
  key: readonly string[] = ['id'],
): Promise<void> {
  const { rows } = await pool.query<{ rows: number; ids: number }>(
    `SELECT count(*)::int AS rows, count(DISTINCT (${key.join(', ')}))::int AS ids FROM ${table}`,
  )
  const { rows: found, ids } = rows[0]!
  if (found !== expected || ids !== expected) {
    throw new Error(`Expected ${expected} rows in ${table}, found ${found} with ${ids} different keys`)
  }
}
