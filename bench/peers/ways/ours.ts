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

/** Writes rows that are in an array already as arrays, which needs no stream of single rows. */
export function oursByArrays(concurrency: number): Way {
  const write = () => async (pool: import('pg').Pool, rows: readonly Row[]) =>
    pipeline(Readable.from(slicesOf(rows)), new PgBatchWritable<Row>({ pool, table: TABLE, concurrency }))
  return throughPool(write, { tone: 'ours' })
}

function* slicesOf(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += BATCH_ROWS) yield rows.slice(at, at + BATCH_ROWS)
}
