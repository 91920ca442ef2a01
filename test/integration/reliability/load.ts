import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../lib/write/rejects/dead-letter.ts'
import { expectBalanced } from '../../support/writing.ts'

/** Writes batches to the end, checking stats at every event; resolves to what was rejected. */
export async function load<Item, Row>(
  batches: Iterable<readonly Item[]>,
  writable: PgBatchWritable<Item, Row>,
): Promise<RejectedRow<Item>[]> {
  const rejected = rejectedBy(writable)
  await pipeline(Readable.from(batches), writable)
  return rejected
}

/** Collects what a stream rejects, checking stats at every event. */
export function rejectedBy<Item, Row>(writable: PgBatchWritable<Item, Row>): RejectedRow<Item>[] {
  const rejected: RejectedRow<Item>[] = []
  const check = (): void => expectBalanced(writable.stats)
  writable.on('commit', check)
  writable.on('retry', check)
  writable.on('reject', reject => {
    rejected.push(reject)
    check()
  })
  return rejected
}
