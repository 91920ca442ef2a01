import type { RecordTable } from '../../csv/record-table.ts'

/** How rows are distributed to workers. A row goes to the same worker whenever the load is run. */
export interface Distribution {
  readonly workers: number
  /** How many rows of a file go to one worker before as many go to the next one. */
  readonly chunkRows: number
}

/** A row of the input: the index of its file, and its number in that file, from 1. */
export interface FileRow {
  readonly file: number
  readonly row: number
}

/** Records that go to one worker together. They follow each other in a file. */
export interface Part {
  readonly worker: number
  readonly records: RecordTable
}

export type Distribute = (records: RecordTable) => readonly Part[]

/** Returns the worker of a row. Each file begins with another one, because there may be many small files. */
export function workerOf({ workers, chunkRows }: Distribution, { file, row }: FileRow): number {
  return (file + Math.floor((row - 1) / chunkRows)) % workers
}

/** Returns how many rows of a file are a worker's, from its first row to the given one. */
export function countRows(distribution: Distribution, worker: number, { file, row }: FileRow): number {
  const { workers, chunkRows } = distribution
  const whole = Math.floor(row / chunkRows)
  const firstChunk = (worker - (file % workers) + workers) % workers
  const chunks = Math.max(0, Math.ceil((whole - firstChunk) / workers))
  const isNext = workerOf(distribution, { file, row: whole * chunkRows + 1 }) === worker
  return chunks * chunkRows + (isNext ? row % chunkRows : 0)
}

/** Distributes tables of records in turn, as they come. */
export function distributeInTurn(workers: number): Distribute {
  let next = 0
  return records => {
    const worker = next
    next = (next + 1) % workers
    return [{ worker, records }]
  }
}

/**
 * Distributes records by their rows' numbers, so that another run gives each worker the same rows.
 * @param placeOf returns where a row is, by its number in the input; each table is of one file
 */
export function distributeByRow(
  distribution: Distribution,
  placeOf: (rowNumber: number) => FileRow,
): Distribute {
  return records => {
    const parts: Part[] = []
    for (let from = 0; from < records.length; ) {
      const place = placeOf(records.firstNumber + from)
      const left = distribution.chunkRows - ((place.row - 1) % distribution.chunkRows)
      const to = Math.min(records.length, from + left)
      parts.push({ worker: workerOf(distribution, place), records: records.slice(from, to) })
      from = to
    }
    return parts
  }
}
