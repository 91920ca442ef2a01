import type pg from 'pg'
import { loadCpuSeconds } from './cpu-time.ts'
import { openPool } from './pool.ts'
import { type BenchRow, benchRows } from './rows.ts'
import { type Column, checkCount, emptyTable, makeTable, TABLE } from './table.ts'

/** The most clients: three lanes, and one for counting the table. */
const POOL_SIZE = 4

/** Enough untimed rows to compile the code and to open the connections. */
const WARM_UP_ROWS = 20_000

/** What a program that loads has measured itself, without its start. */
export class OwnMeasure {
  readonly seconds: number
  readonly cpuSeconds: number | undefined

  constructor(seconds: number, cpuSeconds?: number) {
    this.seconds = seconds
    this.cpuSeconds = cpuSeconds
  }
}

/** Resolves when all rows are committed; to an `OwnMeasure`, where that is the better clock. */
export type Write<Row = BenchRow> = (pool: pg.Pool, rows: readonly Row[]) => Promise<unknown>

export interface Load<Row> {
  readonly connectionString: string
  /** Rows that the table must hold at the end. */
  readonly count: number
  /** The rows as objects, in memory before the clock runs; empty where `write` has another form of them. */
  readonly rows: readonly Row[]
  readonly write: Write<Row>
  readonly columns?: readonly Column[]
  readonly key?: readonly string[]
}

export interface LoadSample {
  readonly rowsPerSecond: number
  /** Of this process and its children, for all rows, without the server. */
  readonly clientCpuSeconds: number
}

/** Times one load into an empty table, and counts the table's rows before it reports the time. */
export async function measureLoad<Row>(load: Load<Row>): Promise<LoadSample> {
  const { connectionString, count, rows, write, columns, key } = load
  const pool = openPool({ connectionString, max: POOL_SIZE })
  try {
    await makeTable(pool, columns ? { columns } : {})
    await write(pool, rows.slice(0, Math.min(WARM_UP_ROWS, Math.ceil(count / 5))))
    await emptyTable(pool)
    const cpuBefore = loadCpuSeconds()
    const started = performance.now()
    const result = await write(pool, rows)
    const seconds = (performance.now() - started) / 1000
    const cpuSeconds = loadCpuSeconds() - cpuBefore
    const own = result instanceof OwnMeasure ? result : undefined
    await checkCount(pool, count, TABLE, key)
    return {
      rowsPerSecond: count / (own?.seconds ?? seconds),
      clientCpuSeconds: own?.cpuSeconds ?? cpuSeconds,
    }
  } finally {
    await pool.end()
  }
}

/** Times one load of seeded rows into an empty table; resolves to rows a second, after they were counted. */
export async function timedLoad(connectionString: string, count: number, write: Write): Promise<number> {
  const sample = await measureLoad({ connectionString, count, rows: benchRows(count), write })
  return sample.rowsPerSecond
}
