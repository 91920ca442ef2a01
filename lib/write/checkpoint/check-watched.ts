import type { PgResultLike } from '../../connection/pg-types.ts'
import { type CommittedPosition, checkpointRegressed, isRegressed } from './committed-positions.ts'
import { orderIn } from './source-order.ts'

/** Returns the parameters by which positions are looked up. */
export function watchedValues(
  watched: readonly CommittedPosition[],
): [names: string[], partitions: string[]] {
  return [watched.map(({ name }) => name), watched.map(({ partition }) => partition)]
}

/**
 * Checks that the server still has these positions.
 * @throws PgBatchError for the first one that is lower or missing
 */
export function checkWatched(
  watched: readonly CommittedPosition[],
  rows: PgResultLike['rows'],
  batchId?: number,
): void {
  const keyOf = (name: unknown, partition: unknown): string => JSON.stringify([name, partition])
  const stored = new Map(rows.map(row => [keyOf(row.name, row.partition), orderIn(row)]))
  for (const known of watched) {
    const order = stored.get(keyOf(known.name, known.partition))
    if (isRegressed(known, order)) throw checkpointRegressed(known, order, { batchId })
  }
}
