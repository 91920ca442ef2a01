import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BatchTransform, type BatchTransformOptions, PgBatchWritable } from '../../lib/index.ts'
import type { BenchRow } from './rows.ts'
import { TABLE } from './table.ts'
import type { Write } from './timed-load.ts'

type WritableOptions = Pick<
  ConstructorParameters<typeof PgBatchWritable<BenchRow>>[0],
  'method' | 'copyFormat' | 'concurrency' | 'onConflict'
>

/** Writes rows by pg-batch-streams, composed as in README. */
export function writeByPipeline(
  batching: BatchTransformOptions<BenchRow>,
  writing: WritableOptions = {},
): Write {
  return async (pool, rows) => {
    await pipeline(
      Readable.from(rows),
      new BatchTransform<BenchRow>(batching),
      new PgBatchWritable<BenchRow>({ pool, table: TABLE, ...writing }),
    )
  }
}
