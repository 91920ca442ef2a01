import type pg from 'pg'
import { PgBatchWritable } from '../../lib/index.ts'
import { openPool } from '../support/pool.ts'
import { type BenchRow, benchRows } from '../support/rows.ts'
import { checkCount, makeTable, TABLE } from '../support/table.ts'
import { CASES, type CaseName } from './cases.ts'

export interface RoundTripsTask {
  readonly connectionString: string
  readonly way: CaseName
  readonly batches: number
  readonly batchRows: number
}

export interface RoundTripsSample {
  /**
   * From `write` to 'commit' of a batch that is alone, the shortest: what else the machine does can only add.
   */
  readonly aloneMs: number
  /** Time of all batches by their number, when they were written as fast as the stream took them. */
  readonly streamedMs: number
  /** What one round trip takes on this connection, the shortest of `SELECT 1`. */
  readonly roundTripMs: number
}

const WARM_UP_BATCHES = 5
const ROUND_TRIPS = 30

export async function measure({
  connectionString,
  way,
  batches,
  batchRows,
}: RoundTripsTask): Promise<RoundTripsSample> {
  const pool = openPool({ connectionString, max: 1 })
  try {
    const { options, key } = CASES[way]
    await makeTable(pool, { key })
    await pool.query('DROP TABLE IF EXISTS pg_batch_checkpoint')
    const roundTripMs = await roundTrip(pool)
    const sink = new PgBatchWritable<BenchRow>({ pool, table: TABLE, ...options })
    let firstId = 1
    const next = (): BenchRow[] => {
      const rows = benchRows(batchRows, firstId)
      firstId += batchRows
      return rows
    }
    for (let batch = 0; batch < WARM_UP_BATCHES; batch++) await committed(sink, next())
    const times: number[] = []
    for (let batch = 0; batch < batches; batch++) times.push(await committed(sink, next()))
    const streamed = Array.from({ length: batches }, next)
    const started = performance.now()
    await finished(sink, streamed)
    const streamedMs = (performance.now() - started) / batches
    await checkCount(pool, firstId - 1)
    return { aloneMs: Math.min(...times), streamedMs, roundTripMs }
  } finally {
    await pool.end()
  }
}

async function roundTrip(pool: pg.Pool): Promise<number> {
  const times: number[] = []
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const started = performance.now()
    await pool.query('SELECT 1')
    times.push(performance.now() - started)
  }
  return Math.min(...times)
}

/** Milliseconds until a batch is committed with nothing else under way. */
function committed(sink: PgBatchWritable<BenchRow>, rows: readonly BenchRow[]): Promise<number> {
  return new Promise((resolve, reject) => {
    sink.once('error', reject)
    const started = performance.now()
    sink.once('commit', () => {
      sink.off('error', reject)
      resolve(performance.now() - started)
    })
    sink.write(rows)
  })
}

/** Until all of them are committed, and the stream has ended. */
async function finished(
  sink: PgBatchWritable<BenchRow>,
  batches: readonly (readonly BenchRow[])[],
): Promise<void> {
  const end = new Promise<void>((resolve, reject) => {
    sink.once('error', reject)
    sink.once('finish', resolve)
  })
  for (const batch of batches) {
    if (!sink.write(batch)) await Promise.race([new Promise(resolve => sink.once('drain', resolve)), end])
  }
  sink.end()
  await end
}
