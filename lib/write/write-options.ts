import type { PgTransactionClient } from '../connection/pg-transaction-client.ts'
import type { Table } from '../types.ts'
import type { Beginning } from './begin/on-begin.ts'
import type { CheckpointPlan } from './checkpoint/checkpoint.ts'
import type { Position } from './checkpoint/position.ts'
import type { RetryPolicy } from './faults/retry.ts'
import type { WriteRequest } from './plan/write-request.ts'
import type { DeadLetterTable } from './rejects/dead-letter.ts'
import type { SettledItems } from './transaction/settled-items.ts'
import type { BeforeCommit } from './write-context.ts'

/** What a stream's options say about writing. */
export interface WriteOptions<Item> extends WriteRequest<Item> {
  readonly statementTimeoutMs: number
  readonly commitTimeoutMs: number
  readonly retry: RetryPolicy
  readonly rejectLimit: number
  /** Counts the rejected rows of several streams, which share the limit. */
  readonly rejectCounter?: Int32Array | undefined
  readonly deadLetterTable: DeadLetterTable | undefined
  readonly rejectedItem: ((item: Item) => unknown) | undefined
  readonly checkpoint: CheckpointPlan<Item> | undefined
  readonly position: ((item: Item) => Position) | undefined
  readonly awaitsParents: (() => boolean) | undefined
  readonly concurrency: number
  /** Everything up to the end is one transaction. */
  readonly singleTransaction: boolean
  readonly beforeCommit?: BeforeCommit | undefined
  /** That transaction is rolled back where it would commit. */
  readonly rollsBack: boolean
  readonly replace?: { readonly minRows: number } | undefined
  readonly callbackTimeoutMs: number
  readonly described: Table | undefined
  readonly onBegin: Beginning['onBegin']
  readonly afterCommit:
    | ((batch: readonly Item[], settled: SettledItems<Item>) => Promise<void> | void)
    | undefined
  readonly onDiscard: ((items: Item[]) => void) | undefined
  readonly inTransaction:
    | ((client: PgTransactionClient, batch: readonly Item[]) => Promise<void> | void)
    | undefined
}
