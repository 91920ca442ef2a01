import type pg from 'pg'
import { loadCpuSeconds } from './cpu-time.ts'
import { openPool } from './pool.ts'
import { type BenchRow, benchRows } from './rows.ts'
import { type Column, checkCount, emptyTable, makeTable, TABLE } from './table.ts'

/** Clients at the most: three lanes, and one more for the table's count. */
const POOL_SIZE = 4

/** Enough that the code is compiled and the connections are made before the clock runs. */
const WARM_UP_ROWS = 20_000

/** Resolves when all is committed; to a number of seconds, where a program of its own has the better clock. */
export type Write<Row = BenchRow> = (pool: pg.Pool, rows: readonly Row[]) => Promise<unknown>

export interface Load<Row> {
  readonly connectionString: string
  /** Rows that have to be in the table in the end. */
  readonly count: number
  /** The rows as objects, in memory before the clock runs; none, where `write` has them in another form. */
  readonly rows: readonly Row[]
  readonly write: Write<Row>
  readonly columns?: readonly Column[]
  readonly key?: readonly string[]
}

export interface LoadSample {
  readonly rowsPerSecond: number
  /** Of this process and what it started, for all rows; the server's is not in it. */
  readonly clientCpuSeconds: number
}

/** Times one load into an empty table, which is counted before the time is told. */
export async function measureLoad<Row>(load: Load<Row>): Promise<LoadSample> {
  const { connectionString, count, rows, write, columns, key } = load
  const pool = openPool({ connectionString, max: POOL_SIZE })
  try {
    await makeTable(pool, columns ? { columns } : {})
    await write(pool, rows.slice(0, Math.min(WARM_UP_ROWS, Math.ceil(count / 5))))
    await emptyTable(pool)
    const cpuBefore = loadCpuSeconds()
    const started = performance.now()
    const told = await write(pool, rows)
    const seconds = (performance.now() - started) / 1000
    const clientCpuSeconds = loadCpuSeconds() - cpuBefore
    await checkCount(pool, count, TABLE, key)
    return { rowsPerSecond: count / (typeof told === 'number' ? told : seconds), clientCpuSeconds }
  } finally {
    await pool.end()
  }
}

/** Times one load of seeded rows into an empty table; resolves to rows a second, after they were counted. */
export async function timedLoad(connectionString: string, count: number, write: Write): Promise<number> {
  const sample = await measureLoad({ connectionString, count, rows: benchRows(count), write })
  return sample.rowsPerSecond
}
