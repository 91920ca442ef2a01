import type pg from 'pg'
import { writeByPipeline } from '../support/pipeline.ts'
import { openPool } from '../support/pool.ts'
import { checkCount, makeTable, TABLE } from '../support/table.ts'
import { STORED_NAME, upsertRows } from './rows.ts'
import { WAYS, type WayName } from './ways.ts'

export interface UpsertTask {
  readonly connectionString: string
  readonly way: WayName
  readonly rows: number
}

const POOL_SIZE = 4
const WARM_UP_ROWS = 20_000

/** Rows a second, half of which were there before. */
export async function measure({ connectionString, way, rows: count }: UpsertTask): Promise<number> {
  const pool = openPool({ connectionString, max: POOL_SIZE })
  const { write } = WAYS[way]
  try {
    await upsert(pool, Math.min(WARM_UP_ROWS, Math.ceil(count / 5)), write)
    return await upsert(pool, count, write)
  } finally {
    await pool.end()
  }
}

async function upsert(pool: pg.Pool, count: number, write: (typeof WAYS)[WayName]['write']): Promise<number> {
  const { stored, written } = upsertRows(count)
  await makeTable(pool, { key: true })
  await writeByPipeline({})(pool, stored)
  await pool.query('CHECKPOINT')
  const started = performance.now()
  await write(pool, written)
  const seconds = (performance.now() - started) / 1000
  await checkCount(pool, count)
  const { rows } = await pool.query<{ old: number }>(
    `SELECT count(*)::int AS old FROM ${TABLE} WHERE name = $1`,
    [STORED_NAME],
  )
  if (rows[0]!.old > 0) throw new Error(`${rows[0]!.old} rows that were there were not updated`)
  return count / seconds
}
