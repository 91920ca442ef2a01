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

/**
 * Creates the table again: with a primary key for upserts, and with DEFAULTs (SQL) where keys are absent.
 */
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

/** Empties the table and runs CHECKPOINT, so that earlier writes do not count. */
export async function emptyTable(pool: pg.Pool, table = TABLE): Promise<void> {
  await pool.query(`TRUNCATE ${table}`)
  await pool.query('CHECKPOINT')
}

/** Checks that every row is in the table once. @throws otherwise: the time must not count */
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
