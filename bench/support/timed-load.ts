import pg from 'pg'
import { type BenchRow, benchRows } from './rows.ts'
import { checkCount, emptyTable, makeTable } from './table.ts'

/** Clients at the most: three lanes, and one more for the table's count. */
const POOL_SIZE = 4

/** Enough that the code is compiled and the connections are made before the clock runs. */
const WARM_UP_ROWS = 20_000

export type Write = (pool: pg.Pool, rows: readonly BenchRow[]) => Promise<void>

/** Times one load of seeded rows into an empty table; resolves to rows a second, after they were counted. */
export async function timedLoad(connectionString: string, count: number, write: Write): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: POOL_SIZE })
  try {
    const rows = benchRows(count)
    await makeTable(pool)
    await write(pool, rows.slice(0, Math.min(WARM_UP_ROWS, Math.ceil(count / 5))))
    await emptyTable(pool)
    const started = performance.now()
    await write(pool, rows)
    const seconds = (performance.now() - started) / 1000
    await checkCount(pool, count)
    return count / seconds
  } finally {
    await pool.end()
  }
}
