import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { PgRowWriter } from '../../lib/index.ts'
import { openPool } from '../support/pool.ts'
import { type BenchRow, benchRows, COLUMNS } from '../support/rows.ts'
import { insertValues } from '../support/statements.ts'
import { quantile } from '../support/statistics.ts'
import { checkCount, emptyTable, makeTable, TABLE } from '../support/table.ts'

/** How each caller writes its row. */
export type Way =
  | 'statement'
  | 'statement returning'
  | 'writer'
  | 'writer returning'
  | 'two writers returning'
  | 'paced writer'
  | 'paced writer returning'

export interface RowWriterTask {
  readonly connectionString: string
  readonly way: Way
  readonly rows: number
  readonly callers: number
}

export interface RowWriterSample {
  readonly rowsPerSecond: number
  /** Milliseconds that a caller has waited for its row. */
  readonly p99: number
}

/** Untimed rows, in which code is compiled and connections open. */
const WARM_UP_ROWS = 2000
const POOL_SIZE = 10
const RETURNING = COLUMNS[0]!.name as keyof BenchRow

export async function measure({
  connectionString,
  way,
  rows,
  callers,
}: RowWriterTask): Promise<RowWriterSample> {
  const pool = openPool({ connectionString, max: POOL_SIZE })
  try {
    await makeTable(pool)
    const open = WAYS[way](pool)
    const write: Write = row => open.write(row)
    await call(benchRows(Math.min(WARM_UP_ROWS, rows)), callers, write)
    await emptyTable(pool)
    const timed = benchRows(rows)
    const started = performance.now()
    const waits = await (way.startsWith('paced') ? callPaced(timed, write) : call(timed, callers, write))
    const seconds = (performance.now() - started) / 1000
    await open.end()
    await checkCount(pool, rows)
    if (waits.length !== rows) throw new Error(`${waits.length} of ${rows} rows were timed`)
    return { rowsPerSecond: rows / seconds, p99: quantile(waits, 0.99) }
  } finally {
    await pool.end()
  }
}

type Write = (row: BenchRow) => Promise<unknown>

/** Each caller writes one row after the other; returns how long each row took. */
async function call(rows: readonly BenchRow[], callers: number, write: Write): Promise<number[]> {
  const waits: number[] = []
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < rows.length) {
      const row = rows[next++]!
      const started = performance.now()
      await write(row)
      waits.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return waits
}

/** Writes 1,000 rows a second, whether or not earlier ones are answered; returns how long each row took. */
async function callPaced(rows: readonly BenchRow[], write: Write): Promise<number[]> {
  const begun = performance.now()
  const waits: Promise<number>[] = []
  const timed = async (row: BenchRow): Promise<number> => {
    const started = performance.now()
    await write(row)
    return performance.now() - started
  }
  for (const row of rows) {
    while (performance.now() - begun < waits.length) await delay(1)
    waits.push(timed(row))
  }
  return Promise.all(waits)
}

interface OpenWay {
  readonly write: Write
  end(): Promise<void>
}

const byStatement =
  (suffix: string) =>
  (pool: pg.Pool): OpenWay => {
    const statement = insertValues<BenchRow>(COLUMNS, suffix)
    return { write: row => pool.query(statement([row])), end: async () => {} }
  }

const byWriter =
  (options: { returning?: (keyof BenchRow)[]; concurrency?: number }) =>
  (pool: pg.Pool): OpenWay =>
    new PgRowWriter<BenchRow, Partial<BenchRow>>({ pool, table: TABLE, ...options })

const WAYS: Readonly<Record<Way, (pool: pg.Pool) => OpenWay>> = {
  statement: byStatement(''),
  'statement returning': byStatement(` RETURNING ${RETURNING}`),
  writer: byWriter({}),
  'writer returning': byWriter({ returning: [RETURNING] }),
  'two writers returning': byWriter({ returning: [RETURNING], concurrency: 2 }),
  'paced writer': byWriter({}),
  'paced writer returning': byWriter({ returning: [RETURNING] }),
}
