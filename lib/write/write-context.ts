import type { Retry, RetryPolicy } from './faults/retry.ts'
import type { OpenOutcomes } from './outcome/open-outcomes.ts'
import type { WritePlan } from './plan/plan.ts'
import type { Batch } from './rows/batch.ts'
import type { TransactionContext } from './transaction/transaction-context.ts'
import type { Committed } from './transaction/transaction-result.ts'
import type { TransactionSize } from './transaction/transaction-size.ts'

/** What a whole load is about to commit. */
export interface LoadCounts {
  /** Items that are neither rejected nor skipped. */
  readonly rows: number
  readonly rejected: number
  /** How many rows the table has, where all of them are replaced. */
  readonly stored?: number | undefined
}

/** Decides about a whole load when all of its rows are sent: if it throws, they are rolled back. */
export type BeforeCommit = (counts: LoadCounts) => Promise<void> | void

/** What all batches of a stream are written with. */
export interface WriteContext<Item> extends TransactionContext<Item> {
  /** How many transactions may run at once. */
  readonly lanes: number
  readonly retry: RetryPolicy
  readonly openOutcomes: OpenOutcomes
  readonly beforeCommit: BeforeCommit | undefined
  /** The rows replace all that the table has, if there are at least so many of them. */
  readonly replace: { readonly minRows: number } | undefined
  /** Items are kept until their COMMIT, because `onDiscard` may receive them. */
  readonly keepsItems: boolean
  /**
   * Writing a batch twice leaves what writing it once does: after an unknown outcome it may be written again.
   */
  readonly isIdempotent: (plan: WritePlan<Item>) => boolean
  /** How many batches a transaction takes, by how the last ones ended. */
  readonly size: TransactionSize
  /**
   * Rows may come before the rows of the table that they refer to. Returns true if the input has ended with
   * its last row: otherwise rows whose parents have not come are not rejected.
   */
  readonly awaitsParents: (() => boolean) | undefined
}

/**
 * Resolves to the next batch, or to undefined when none is ready.
 * @param waits resolve to undefined only at the end of the input
 */
export type NextBatch<Item> = (waits?: 'waits') => Promise<Batch<Item> | undefined>

/** What writing reports while it runs. */
export type Progress<Item> =
  | { readonly kind: 'committed'; readonly committed: Committed<Item>; readonly attempts: number }
  /** A callback has committed the rows by itself; the stream's failure comes next. */
  | { readonly kind: 'committed-early'; readonly committed: Committed<Item> }
  | ({ readonly kind: 'retry' } & Retry)
