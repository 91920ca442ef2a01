import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BatchTransform, PgBatchWritable } from '../../../lib/index.ts'
import { TABLE } from '../../support/table.ts'
import type { Row } from '../../support/tables/bench-table.ts'
import { throughPool, type Way } from './way.ts'

const BATCH_ROWS = 10_000

/** Writes rows by pg-batch-streams, composed as in README. */
export function ours(concurrency: number): Way {
  const write = () => async (pool: import('pg').Pool, rows: readonly Row[]) =>
    pipeline(
      Readable.from(rows),
      new BatchTransform<Row>({ maxCount: BATCH_ROWS }),
      new PgBatchWritable<Row>({ pool, table: TABLE, concurrency }),
    )
  return throughPool(write, { tone: 'ours' })
}
