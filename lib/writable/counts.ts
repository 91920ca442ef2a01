import type { CountName, Stats } from '../types.ts'
import type { Committed } from '../write/transaction/transaction-result.ts'

/** The counts of one stream. */
export class Counts {
  #rowsReceived = 0
  #rowsCommitted = 0
  #rowsUnchanged = 0
  #rowsRejected = 0
  #rowsSkipped = 0
  #batchesReceived = 0
  #batchesCommitted = 0
  #transactions = 0
  #bytesSent = 0
  #lastCommitAt: number | undefined

  /** Counts an array that was written, and returns its number, from 1. */
  addReceived(rows: number): number {
    this.#rowsReceived += rows
    return ++this.#batchesReceived
  }

  addCommitted({ batches, rows, unchanged, skipped, rejected, bytes }: Committed<unknown>): void {
    this.#rowsCommitted += rows
    this.#rowsUnchanged += unchanged
    this.#rowsSkipped += skipped
    this.#rowsRejected += rejected.length
    this.#batchesCommitted += batches.length
    this.#transactions++
    this.#lastCommitAt = Date.now()
    this.#bytesSent += bytes
  }

  /** Whatever was received and is nothing else is pending. */
  get stats(): Pick<Stats, CountName | 'lastCommitAt'> {
    const settled = this.#rowsCommitted + this.#rowsUnchanged + this.#rowsRejected + this.#rowsSkipped
    return {
      rowsReceived: this.#rowsReceived,
      rowsCommitted: this.#rowsCommitted,
      rowsUnchanged: this.#rowsUnchanged,
      rowsRejected: this.#rowsRejected,
      rowsSkipped: this.#rowsSkipped,
      rowsPending: this.#rowsReceived - settled,
      batchesReceived: this.#batchesReceived,
      batchesCommitted: this.#batchesCommitted,
      transactions: this.#transactions,
      bytesSent: this.#bytesSent,
      lastCommitAt: this.#lastCommitAt === undefined ? undefined : new Date(this.#lastCommitAt),
    }
  }
}
