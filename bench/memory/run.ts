import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts'
import { peakResidentBytes } from '../../test/support/processes/peak-memory.ts'
import { openPool } from '../support/pool.ts'
import { type BenchRow, eachBenchRow } from '../support/rows.ts'
import { checkCount, makeTable, TABLE } from '../support/table.ts'

export interface MemoryTask {
  readonly connectionString: string
  readonly rows: number
  readonly batchRows: number
  readonly concurrency: number
  readonly samples: number
}

export interface MemorySample {
  /** Resident bytes before a row was made, with everything loaded and connected. */
  readonly idleBytes: number
  readonly points: readonly { readonly rows: number; readonly rssBytes: number }[]
  /** The peak of resident memory as the operating system reports it, between the points too. */
  readonly peakBytes: number
}

/** Loads generated rows, so that resident memory is the load's own. */
export async function measure(task: MemoryTask): Promise<MemorySample> {
  const { connectionString, rows, batchRows, concurrency, samples } = task
  const pool = openPool({ connectionString, max: concurrency + 1 })
  try {
    await makeTable(pool)
    const idleBytes = process.memoryUsage.rss()
    const points: { rows: number; rssBytes: number }[] = []
    const step = Math.max(1, Math.floor(rows / samples))
    const sink = new PgBatchWritable<BenchRow>({ pool, table: TABLE, concurrency })
    sink.on('commit', () => {
      const { rowsCommitted } = sink.stats
      if (rowsCommitted < (points.length + 1) * step) return
      points.push({ rows: rowsCommitted, rssBytes: process.memoryUsage.rss() })
    })
    await pipeline(
      Readable.from(eachBenchRow(rows)),
      new BatchTransform<BenchRow>({ maxCount: batchRows }),
      sink,
    )
    const peakBytes = peakResidentBytes()
    await checkCount(pool, rows)
    return { idleBytes, points, peakBytes }
  } finally {
    await pool.end()
  }
}
