import type pg from 'pg'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts'
import { openPool } from '../support/pool.ts'
import { type BenchRow, benchRows, COLUMNS } from '../support/rows.ts'
import { insertValues } from '../support/statements.ts'
import { quantile } from '../support/statistics.ts'
import { checkCount, emptyTable, makeTable, TABLE } from '../support/table.ts'
import { trickle } from './trickle.ts'

export interface LatencyTask {
  readonly connectionString: string
  /** Undefined: each row is one statement through `pg`. */
  readonly maxWaitMs: number | undefined
  readonly rows: number
  readonly rowsPerSecond: number
}

/** Milliseconds from the moment when a row was written to that when its commit was known. */
export interface LatencySample {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly transactions: number
}

/** Untimed rows: about 200 ms in which code is compiled and connections open. */
const WARM_UP_ROWS = 200
const POOL_SIZE = 10

export async function measure(task: LatencyTask): Promise<LatencySample> {
  const pool = openPool({ connectionString: task.connectionString, max: POOL_SIZE })
  const write = task.maxWaitMs === undefined ? rowByRow : inBatches(task.maxWaitMs)
  try {
    await makeTable(pool)
    await write(pool, benchRows(Math.min(WARM_UP_ROWS, task.rows)), task.rowsPerSecond)
    await emptyTable(pool)
    const { waits, transactions } = await write(pool, benchRows(task.rows), task.rowsPerSecond)
    await checkCount(pool, task.rows)
    if (waits.length !== task.rows) throw new Error(`${waits.length} of ${task.rows} rows were timed`)
    return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits), transactions }
  } finally {
    await pool.end()
  }
}

interface Waits {
  readonly waits: readonly number[]
  readonly transactions: number
}

type Write = (pool: pg.Pool, rows: readonly BenchRow[], rowsPerSecond: number) => Promise<Waits>

const inBatches =
  (maxWaitMs: number): Write =>
  async (pool, rows, rowsPerSecond) => {
    const writtenAt = new Map<BenchRow, number>()
    const waits: number[] = []
    const batching = new BatchTransform<BenchRow>({ maxWaitMs })
    const sink = new PgBatchWritable<BenchRow>({
      pool,
      table: TABLE,
      afterCommit(batch) {
        const now = performance.now()
        for (const row of batch) waits.push(now - writtenAt.get(row)!)
      },
    })
    const finished = new Promise<void>((resolve, reject) => {
      for (const stream of [batching, sink]) stream.once('error', reject)
      sink.once('finish', resolve)
    })
    batching.pipe(sink)
    await trickle(rows, rowsPerSecond, row => {
      writtenAt.set(row, performance.now())
      batching.write(row)
    })
    batching.end()
    await finished
    return { waits, transactions: sink.stats.transactions }
  }

const rowByRow: Write = async (pool, rows, rowsPerSecond) => {
  const statement = insertValues<BenchRow>(COLUMNS)
  const waits: number[] = []
  const commits: Promise<void>[] = []
  await trickle(rows, rowsPerSecond, row => {
    const started = performance.now()
    const committed = pool.query(statement([row])).then(() => void waits.push(performance.now() - started))
    commits.push(committed)
  })
  await Promise.all(commits)
  return { waits, transactions: rows.length }
}
