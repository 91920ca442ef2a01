import type { PgBatchError } from '../../errors.ts'
import { errorContext, toPgBatchError } from '../faults/failure.ts'
import { isRowsFault } from '../faults/transient.ts'
import { FOREIGN_KEY_VIOLATION } from '../isolate/refusals.ts'
import { WaitingRows } from '../isolate/waiting-rows.ts'
import { type Batch, type RowGroup, splitByBatch } from '../rows/batch.ts'
import { RowError, type RowRef } from '../rows/row-sender.ts'
import type { IsolateHint, TransactionWriter } from '../transaction/transaction-writer.ts'

/**
 * `none`: the first bad row ends the load. `now`: bad rows are rejected when their batch is written. `later`:
 * the same, but a row may refer to a row of a later batch.
 */
export type Rejects = 'none' | 'now' | 'later'

/** Why rows could not be written together. Their effects are undone. */
interface FailedPiece {
  readonly error: PgBatchError
  readonly row: RowRef | undefined
}

/**
 * Writes the batches of a whole load one by one, under savepoints where rows may be rejected:
 *
 *     a bad row                           → is rejected; the others of its batch are written
 *     a row whose parent may come later   → its batch waits, and all after it, whose order stays
 *     twice as many rows as were tried    → those that wait are tried together
 *     the end of the input, or the bounds → they are written together, and bad rows are rejected
 */
export class Pieces<Item> {
  readonly #writer: TransactionWriter<Item>
  readonly #rejects: Rejects
  /** Batches that wait for later ones, and the rows of them that are to be written. */
  #waiting: Batch<Item>[] = []
  #groups: RowGroup[] = []
  #rows = new WaitingRows()

  constructor(writer: TransactionWriter<Item>, rejects: Rejects) {
    this.#writer = writer
    this.#rejects = rejects
  }

  /** @returns the batches that are written, whose rows need not be held any longer */
  async add(batch: Batch<Item>): Promise<readonly Batch<Item>[]> {
    const groups = await this.#writer.admit(batch)
    if (groups.length > 0) await this.#writer.opened!.rows.shareStaging()
    if (this.#waiting.length === 0) {
      const isLate = await this.#writeAlone(groups)
      if (!isLate) return [batch]
      this.#wait(batch, groups)
      this.#rows.waitForMore()
      return []
    }
    this.#wait(batch, groups)
    return this.#rows.areDue ? this.#writeTogether() : []
  }

  /** Writes the batches that wait: no later ones come. */
  async end(): Promise<void> {
    const failed = await this.#try(this.#groups)
    if (failed) await this.#isolate(this.#groups, failed, 'now')
  }

  #wait(batch: Batch<Item>, groups: readonly RowGroup[]): void {
    this.#waiting.push(batch)
    this.#groups.push(...groups)
    this.#rows.add(batch)
  }

  /** Returns true if the rows wait for later ones. */
  async #writeAlone(groups: readonly RowGroup[]): Promise<boolean> {
    const failed = await this.#try(groups)
    if (!failed) return false
    if (this.#rejects === 'later' && failed.error.sqlState === FOREIGN_KEY_VIOLATION) return true
    return this.#isolate(groups, failed, this.#rejects)
  }

  async #writeTogether(): Promise<readonly Batch<Item>[]> {
    const failed = await this.#try(this.#groups)
    if (failed) {
      if (this.#rows.waitForMore()) return []
      await this.#isolate(this.#groups, failed, 'now')
    }
    const written = this.#waiting
    this.#waiting = []
    this.#groups = []
    this.#rows = new WaitingRows()
    return written
  }

  /** Writes rows, or none of them: then bad rows are to be rejected. */
  async #try(groups: readonly RowGroup[]): Promise<FailedPiece | undefined> {
    if (groups.length === 0) return undefined
    const { rows, transaction } = this.#writer.opened!
    const isUndone = this.#rejects !== 'none'
    rows.beforePiece(isUndone ? 'SAVEPOINT pg_batch_load' : undefined)
    try {
      for (const part of splitByBatch(groups)) await rows.send(part)
      await rows.close()
      if (isUndone) transaction.before('RELEASE SAVEPOINT pg_batch_load')
      return undefined
    } catch (error) {
      const isRows = error instanceof RowError || isRowsFault(error)
      if (!isUndone || !isRows) throw error
      const row = error instanceof RowError ? error.row : rows.locate(error)
      await rows.abort()
      transaction.before('ROLLBACK TO SAVEPOINT pg_batch_load; RELEASE SAVEPOINT pg_batch_load')
      const context = row ? errorContext(row) : { batchId: groups[0]!.batch.id }
      return { error: toPgBatchError(error, 'rolled-back', context, 'write'), row }
    }
  }

  /** Returns true if rows wait for later ones: nothing is written then. */
  async #isolate(groups: readonly RowGroup[], failed: FailedPiece, rejects: Rejects): Promise<boolean> {
    const { rows, transaction } = this.#writer.opened!
    const awaitsParents = rejects === 'later'
    const hint: IsolateHint = { ...failed, plan: this.#writer.plan, immediate: false, awaitsParents }
    if (awaitsParents) transaction.before('SAVEPOINT pg_batch_load')
    const orphaned = await this.#writer.isolate(groups, hint)
    if (orphaned) rows.undoPieces('ROLLBACK TO SAVEPOINT pg_batch_load')
    if (awaitsParents) transaction.before('RELEASE SAVEPOINT pg_batch_load')
    return orphaned !== undefined
  }
}
