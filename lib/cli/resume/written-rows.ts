import { resolve } from 'node:path'
import type { Sources } from '../../sources/open-sources.ts'
import { readCheckpoint } from '../../write/checkpoint/read-checkpoint.ts'
import type { QueryPool } from '../database/query-pool.ts'
import { countRows, type Distribution, type FileRow, workerOf } from './distribution.ts'

/** A worker's own position in each file: the number of the last row that it has written. */
export interface WorkerCheckpoint {
  readonly name: string
  readonly startsAfter: ReadonlyMap<string, bigint>
}

/** Where a row is, and the partition of the checkpoints that counts the rows of its file. */
export interface NamedFileRow extends FileRow {
  readonly partition: string
}

/** Which rows of the input are in the table. */
export interface WrittenRows {
  readonly distribution: Distribution
  readonly checkpoints: readonly WorkerCheckpoint[]
  /** How many rows are in. */
  readonly rowsWritten: number
  /** Returns where a row is, by its number in the input, from 1. */
  readonly placeOf: (rowNumber: number) => NamedFileRow
  /** Says which rows are in. Undefined if these are the first ones. */
  readonly isWritten: ((rowNumber: number) => boolean) | undefined
}

/** Reads how far each worker of a load has come. */
export async function readWrittenRows(
  pool: QueryPool,
  name: string,
  source: Pick<Sources, 'files' | 'positionOf'>,
  distribution: Distribution,
): Promise<WrittenRows> {
  const { files } = source
  const { workers } = distribution
  const checkpoints = await Promise.all(
    checkpointNames(name, workers).map(async each => ({
      name: each,
      startsAfter: await readCheckpoint(pool, each),
    })),
  )
  const partitions = files.map(file => resolve(file))
  const indexes = new Map(files.map((file, index) => [file, index]))
  const placeOf = (rowNumber: number): NamedFileRow => {
    const { file, row } = source.positionOf(rowNumber)
    const index = indexes.get(file) ?? 0
    return { file: index, row, partition: partitions[index]! }
  }
  const lastRow = (worker: number, partition: string): number =>
    Number(checkpoints[worker]!.startsAfter.get(partition) ?? 0)
  let rowsWritten = 0
  for (let worker = 0; worker < workers; worker++) {
    for (const [file, partition] of partitions.entries()) {
      rowsWritten += countRows(distribution, worker, { file, row: lastRow(worker, partition) })
    }
  }
  return {
    distribution,
    checkpoints,
    rowsWritten,
    placeOf,
    // one worker writes rows in their order: if a file has a position, all files before it are complete
    isWritten:
      workers === 1
        ? undefined
        : rowNumber => {
            const place = placeOf(rowNumber)
            return place.row <= lastRow(workerOf(distribution, place), place.partition)
          },
  }
}

/**
 * Returns the names of the workers' checkpoints. The prefix keeps the positions of loads apart from those of
 * a program's own streams.
 */
export function checkpointNames(name: string, workers: number): string[] {
  if (workers === 1) return [`pg-batch load ${name}`]
  return Array.from(
    { length: workers },
    (_, index) => `pg-batch load, worker ${index + 1} of ${workers}: ${name}`,
  )
}
