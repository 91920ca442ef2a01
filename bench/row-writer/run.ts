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
  | 'two writers'
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

/** Half of the callers wait for one connection while the other half continue. */
export const TWO_CONNECTIONS = { concurrency: 2, maxCount: 500 }

/** What callers write is made of so many rows: few enough to be cheap to hold, and then only ids differ. */
export const DIFFERENT_ROWS = 20_000

/** Untimed rows, in which code is compiled and connections open. */
const WARM_UP_ROWS = { statement: 2000, writer: 50_000 }
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
    const few = benchRows(Math.min(DIFFERENT_ROWS, rows))
    const writeAt: WriteAt = index => write({ ...few[index % few.length]!, id: index })
    await call(
      Math.min(rows, WARM_UP_ROWS[way.startsWith('statement') ? 'statement' : 'writer']),
      callers,
      writeAt,
    )
    await emptyTable(pool)
    const started = performance.now()
    const waits = await (way.startsWith('paced') ? callPaced(rows, writeAt) : call(rows, callers, writeAt))
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

type WriteAt = (index: number) => Promise<unknown>

/** Each caller writes one row after the other; returns how long each row took. */
async function call(rows: number, callers: number, writeAt: WriteAt): Promise<number[]> {
  const waits: number[] = []
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < rows) {
      const started = performance.now()
      await writeAt(next++)
      waits.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return waits
}

/** Writes 1,000 rows a second, whether or not earlier ones are answered; returns how long each row took. */
async function callPaced(rows: number, writeAt: WriteAt): Promise<number[]> {
  const begun = performance.now()
  const waits: Promise<number>[] = []
  const timed = async (index: number): Promise<number> => {
    const started = performance.now()
    await writeAt(index)
    return performance.now() - started
  }
  for (let index = 0; index < rows; index++) {
    while (performance.now() - begun < index) await delay(1)
    waits.push(timed(index))
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
  (options: { returning?: (keyof BenchRow)[]; concurrency?: number; maxCount?: number }) =>
  (pool: pg.Pool): OpenWay =>
    new PgRowWriter<BenchRow, Partial<BenchRow>>({ pool, table: TABLE, ...options })

const WAYS: Readonly<Record<Way, (pool: pg.Pool) => OpenWay>> = {
  statement: byStatement(''),
  'statement returning': byStatement(` RETURNING ${RETURNING}`),
  writer: byWriter({}),
  'writer returning': byWriter({ returning: [RETURNING] }),
  'two writers': byWriter(TWO_CONNECTIONS),
  'two writers returning': byWriter({ returning: [RETURNING], ...TWO_CONNECTIONS }),
  'paced writer': byWriter({}),
  'paced writer returning': byWriter({ returning: [RETURNING] }),
}
