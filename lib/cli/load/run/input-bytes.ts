import type { InputMeter } from '../../files/input-meter.ts'
import type { LoadCounts } from '../../watch/load-counts.ts'
import { InputProgress } from './input-progress.ts'

type ByteCounts = Pick<
  LoadCounts,
  'bytesRead' | 'bytesTotal' | 'bytesCommitted' | 'bytesToCommit' | 'bytesSkipped'
>

/** How far a load has come when its bytes are counted. */
export interface LoadState {
  /** Rows of the input that are settled, with those that an earlier run wrote. */
  readonly settledRows: number
  /** Settled rows still wait for the COMMIT of a single transaction. */
  readonly isUncommitted: boolean
  /** The rows ended before the file did. */
  readonly isStopped: boolean
  readonly isFinished: boolean
}

/** Counts the bytes of the input that were read, and those whose rows are settled. */
export class InputBytes {
  readonly #meter: InputMeter
  readonly #progress: InputProgress

  /** @param skip rows that an earlier run has written */
  constructor(meter: InputMeter, skip: number) {
    this.#meter = meter
    this.#progress = new InputProgress(skip)
  }

  /** Records a batch that was read. @param rows how many were read so far */
  read(rows: number): void {
    this.#progress.read(rows, this.#meter.bytesRead)
  }

  /** Records the end of the input. */
  end(rows: number): void {
    this.#progress.end(rows, this.#meter.bytesRead)
  }

  /** Returns the bytes of the first `rows` rows. */
  of(rows: number): number {
    return this.#progress.bytesOf(rows)
  }

  counts({ settledRows, isUncommitted, isStopped, isFinished }: LoadState): ByteCounts {
    const { bytesRead, bytesTotal } = this.#meter
    const bytesToCommit = isStopped ? this.#progress.bytesTakenIn : bytesTotal
    // the bytes after the last row hold none: the footer of a Parquet file, for example
    const isAll = isFinished && !isStopped
    const bytesSettled = () => (isUncommitted ? 0 : this.of(settledRows))
    const bytesCommitted = isAll ? (bytesTotal ?? bytesRead) : bytesSettled()
    const { bytesSkipped } = this.#progress
    return { bytesRead, bytesTotal, bytesCommitted, bytesToCommit, bytesSkipped }
  }
}
