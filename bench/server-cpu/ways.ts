import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Tone } from '../support/chart.ts'
import { writeByPipeline } from '../support/pipeline.ts'
import { type BenchRow, csvLine } from '../support/rows.ts'
import { TABLE } from '../support/table.ts'

type Prepared = readonly BenchRow[] | readonly Buffer[]

interface Way {
  readonly tone: Tone
  /** Prepares the rows for writing, before the clock runs. */
  prepare(rows: readonly BenchRow[]): Prepared
  write(pool: pg.Pool, prepared: Prepared): Promise<unknown>
}

const BATCH_ROWS = 10_000
const PIECE_BYTES = 64 * 1024

export const WAYS = {
  'pg-batch-streams, concurrency 1': ours(1),
  'pg-batch-streams, concurrency 2': ours(2),
  'COPY of CSV bytes': {
    tone: 'other',
    prepare: csvPieces,
    write: (pool, pieces) => copyCsv(pool, pieces as readonly Buffer[]),
  },
} satisfies Record<string, Way>

export type WayName = keyof typeof WAYS

function ours(concurrency: number): Way {
  const write = writeByPipeline({ maxCount: BATCH_ROWS }, { concurrency })
  return {
    tone: 'ours',
    prepare: rows => rows,
    write: (pool, rows) => write(pool, rows as readonly BenchRow[]),
  }
}

function csvPieces(rows: readonly BenchRow[]): Buffer[] {
  const bytes = Buffer.concat(rows.map(row => Buffer.from(csvLine(row))))
  return Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, piece) =>
    bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
  )
}

async function copyCsv(pool: pg.Pool, pieces: readonly Buffer[]): Promise<void> {
  const client = await pool.connect()
  try {
    await pipeline(Readable.from(pieces), client.query(copyFrom(`COPY ${TABLE} FROM STDIN (FORMAT csv)`)))
  } finally {
    client.release()
  }
}
