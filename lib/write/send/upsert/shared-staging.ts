import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { clearStagingStatement } from '../../../table/merge/merge-source.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import { createStaging } from './staging-sender.ts'

/**
 * A staging table that several merges of a transaction share: those of all batches where each is merged by
 * itself, or those of the pieces of one batch. A table for each piece would cost milliseconds, and a lock
 * until the transaction ends, of which the server has a few thousand in total.
 */
export class SharedStaging {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  /** Created before all savepoints, so that no rollback to one of them drops it. */
  #ofAllBatches: string | undefined
  #name: string | undefined
  #hasRows = false

  constructor(transaction: Transaction, plan: TablePlan) {
    this.#transaction = transaction
    this.#plan = plan
  }

  get name(): string | undefined {
    return this.#name
  }

  /** Creates the table that all batches share. */
  async createForAll(): Promise<void> {
    if (this.#ofAllBatches) return
    this.#ofAllBatches = await createStaging(this.#transaction, this.#plan)
    this.#name = this.#ofAllBatches
  }

  /** Creates the table that the pieces of a batch share, before their savepoints. */
  async createForPieces(): Promise<void> {
    if (this.#ofAllBatches) return
    this.#name = await createStaging(this.#transaction, this.#plan)
  }

  /** Notes that a sender puts rows into the table. */
  used(): void {
    this.#hasRows = true
  }

  /** Empties the table before the next merge. */
  clear(): void {
    // cheap, because TRUNCATE works in place in the subtransaction that has created the table
    if (this.#name && this.#hasRows) this.#transaction.before(clearStagingStatement(this.#name))
    this.#hasRows = false
  }

  /** Forgets the table of the pieces, which a rollback drops. */
  forgetPieces(): void {
    this.#name = this.#ofAllBatches
    this.#hasRows = this.#ofAllBatches !== undefined
  }
}
