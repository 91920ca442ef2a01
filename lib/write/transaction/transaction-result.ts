import type { PgBatchError } from '../../errors.ts'
import type { CheckpointProgress } from '../checkpoint/checkpoint.ts'
import type { MaybeCommitted } from '../outcome/find-outcome.ts'
import type { OrphanedTransaction } from '../outcome/terminate-orphan.ts'
import type { WritePlan } from '../plan/plan.ts'
import type { RejectedRow } from '../rejects/dead-letter.ts'
import type { Batch } from '../rows/batch.ts'
import type { RowResults } from '../rows/row-results.ts'
import type { RowRef } from '../rows/row-sender.ts'
import type { SettledItems } from './settled-items.ts'

/** What a transaction committed. */
export interface Committed<Item> {
  readonly batches: readonly Batch<Item>[]
  /** Rows that the server reports as inserted, updated or deleted. */
  readonly rows: number
  /** Rows that were sent and changed nothing. */
  readonly unchanged: number
  /** Items without a row, and items that were in the table already. */
  readonly skipped: number
  readonly rejected: readonly RejectedRow<Item>[]
  /** For each batch the outcome of its items; empty where no callback receives them. */
  readonly settled: readonly SettledItems<Item>[]
  /** What each row did, where each has had a statement of its own. */
  readonly results: RowResults | undefined
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  readonly durationMs: number
}

/** What is known of a transaction that failed, once it is rolled back or its connection is closed. */
export interface FailedTransaction<Item> extends MaybeCommitted {
  readonly error: PgBatchError
  /** A row caused the error, so that the other rows can be written without it. */
  readonly rowsFault: boolean
  /** The row that caused the error, where it is known. */
  readonly row: RowRef | undefined
  /** All batches that it was to write, those that it had not reached included. */
  readonly batches: readonly Batch<Item>[]
  /** How many of these it had reached. */
  readonly reachedBatches: number
  readonly plan: WritePlan<Item>
  readonly method: 'copy' | 'insert'
  /** The transaction that the server may still hold open, because the connection broke before it ended. */
  readonly orphan: OrphanedTransaction | undefined
  /** How many rejects it has taken from the budget. */
  readonly rejects: number
  /** What the checkpoint stores if the transaction was committed. */
  readonly progress: CheckpointProgress<Item> | undefined
  /** What it has committed, if the server has carried out the COMMIT all the same. */
  readonly ifCommitted: Committed<Item>
}
