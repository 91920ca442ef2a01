import type { PgTransactionClient } from '../../connection/pg-transaction-client.ts'
import type { PgPoolLike } from '../../connection/pg-types.ts'
import type { StopSignals } from '../../connection/pool/lease.ts'
import type { TransactionOptions } from '../../connection/transaction/opening.ts'
import type { SlabPool } from '../../encode/wire/slabs.ts'
import type { Beginning } from '../begin/on-begin.ts'
import type { CheckpointPlan } from '../checkpoint/checkpoint.ts'
import type { Position } from '../checkpoint/position.ts'
import type { Evolution } from '../evolve/evolution.ts'
import type { CurrentPlan } from '../plan/current-plan.ts'
import type { DeadLetterTable } from '../rejects/dead-letter.ts'
import type { RejectBudget } from '../rejects/reject-budget.ts'
import type { TransactionPool } from './transaction-pool.ts'

/** What all transactions of a stream share. */
export interface TransactionContext<Item> extends Beginning {
  readonly pool: PgPoolLike
  readonly current: CurrentPlan<Item>
  /** Set where the stream may alter its table. */
  readonly evolution: Evolution<Item> | undefined
  readonly limits: TransactionOptions
  readonly checkpoint: CheckpointPlan<Item> | undefined
  readonly position: ((item: Item) => Position) | undefined
  readonly deadLetterTable: DeadLetterTable | undefined
  /** Returns what a reject holds in place of an item that has no row, or a row that fits no column. */
  readonly rejectedItem: ((item: Item) => unknown) | undefined
  readonly budget: RejectBudget
  /** Once a batch is sent, only another attempt can need it, and the encoded bytes are enough for that. */
  readonly canReleaseItems: boolean
  readonly slabs: SlabPool
  readonly transactions: TransactionPool
  readonly inTransaction:
    | ((client: PgTransactionClient, batch: readonly Item[]) => Promise<void> | void)
    | undefined
  /** Transactions are rolled back where they would commit: nothing but a count is wanted. */
  readonly rollsBack: boolean
  /** A callback receives the items, sorted by their outcome. */
  readonly notesItems: boolean
  readonly signals: StopSignals
}
