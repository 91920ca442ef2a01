import type { Lease } from '../../connection/pool/lease.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import type { PgBatchError } from '../../errors.ts'
import { runOnBegin } from '../begin/on-begin.ts'
import { CheckpointScope } from '../checkpoint/checkpoint.ts'
import { newKeyTooLate } from '../faults/table-changed.ts'
import { isolateBatch } from '../isolate/isolate-batch.ts'
import type { WritePlan } from '../plan/plan.ts'
import { hasUnknownKey, prepareBatch } from '../prepare/prepare-batch.ts'
import { RejectedRows } from '../rejects/rejected-rows.ts'
import { type Batch, countRows, isBytesOnly, type PreparedBatch, type RowGroup } from '../rows/batch.ts'
import type { RowRef } from '../rows/row-sender.ts'
import { RowsInTransaction } from '../send/rows-in-transaction.ts'
import { ItemNotes } from './settled-items.ts'
import type { TransactionContext } from './transaction-context.ts'
import type { Committed } from './transaction-result.ts'

/** What is known of a batch that has failed as a whole. */
export interface IsolateHint {
  readonly error: PgBatchError
  readonly row: RowRef | undefined
  /** The plan by which the rows were sent. By another one the row may be good: the table was altered. */
  readonly plan: object
  /** Checks deferred constraints with each piece, because one of them has failed. */
  readonly immediate: boolean
  /** Rows may wait for rows of later batches: those that a foreign key refuses are not rejected. */
  readonly awaitsParents: boolean
}

/** What a transaction consists of once it has its connection. */
export interface OpenedTransaction<Item> {
  readonly lease: Lease
  readonly transaction: Transaction
  readonly rows: RowsInTransaction
  readonly checkpoint: CheckpointScope<Item> | undefined
}

/** Adds batches to one transaction, which the first batch opens. `runTransaction` ends it. */
export class TransactionWriter<Item> {
  readonly batches: Batch<Item>[] = []
  readonly rejected: RejectedRows<Item>
  /** One for each batch, where a callback is to receive its items. */
  readonly notes: ItemNotes<Item>[] = []
  readonly slabs: SlabLease
  readonly #context: TransactionContext<Item>
  #plan: WritePlan<Item>
  /** A batch is held only as the bytes that this plan has encoded: no other plan can write it. */
  readonly #keepsPlan: boolean
  readonly #byInsert: boolean
  readonly #planned: readonly Batch<Item>[]
  readonly #started = performance.now()
  #opened: OpenedTransaction<Item> | undefined
  #hasBegun = false
  #items = 0
  #skipped = 0

  /**
   * @param batches what is to be written, as far as that is known; some may be held as bytes of an earlier
   *   plan
   * @param byInsert all rows go by INSERT, whatever the plan's method
   */
  constructor(context: TransactionContext<Item>, batches: readonly Batch<Item>[], byInsert: boolean) {
    this.#context = context
    this.#byInsert = byInsert
    this.#planned = batches
    const { plan } = context.current
    const [held] = batches.filter(isBytesOnly).map(batch => prepareBatch(batch, plan))
    this.#keepsPlan = held !== undefined
    this.#plan = (held?.plan as WritePlan<Item> | undefined) ?? plan
    this.slabs = context.slabs.lease()
    this.rejected = new RejectedRows(context)
  }

  get plan(): WritePlan<Item> {
    return this.#plan
  }

  get opened(): OpenedTransaction<Item> | undefined {
    return this.#opened
  }

  /** How many items were added, those without a row included: all of them are held in memory. */
  get items(): number {
    return this.#items
  }

  /** How many items have no row to write. */
  get skipped(): number {
    return this.#skipped
  }

  get bytes(): number {
    return this.#opened?.rows.bytes ?? 0
  }

  get method(): 'copy' | 'insert' {
    return this.#opened?.rows.method ?? 'insert'
  }

  get ageMs(): number {
    return performance.now() - this.#started
  }

  /** How long a statement may take. */
  get timeoutMs(): number {
    return this.#opened?.transaction.ticket?.timeoutMs ?? this.#context.limits.statementTimeoutMs
  }

  /** What is committed when the transaction is. */
  get result(): Committed<Item> {
    const rejected = this.rejected.all
    const sent = this.#items - this.#skipped - rejected.length
    const unchanged = Math.min(sent, this.#opened?.rows.unchanged ?? 0)
    return {
      batches: this.batches,
      rows: sent - unchanged,
      unchanged,
      skipped: this.#skipped,
      rejected,
      settled: this.notes.map(notes => notes.settled()),
      results: this.#plan.rowResults?.by === 'row by row' ? this.#opened?.rows.results : undefined,
      bytes: this.bytes,
      method: this.method,
      durationMs: this.ageMs,
    }
  }

  /**
   * Returns false for a batch that a newer plan would suit better, or might: the next transaction finds out.
   */
  suits(batch: Batch<Item>): boolean {
    const { current, evolution } = this.#context
    if (current.plan !== this.#plan || evolution?.wantsColumns(batch, this.#plan)) return false
    return !current.mayRefresh || !hasUnknownKey(prepareBatch(batch, this.#plan), this.#plan)
  }

  async add(batch: Batch<Item>): Promise<void> {
    const groups = await this.admit(batch)
    if (groups.length > 0) await this.#opened!.rows.send(groups)
  }

  /** Adds batches that have failed as a whole: rejects their bad rows one by one, and writes the others. */
  async addIsolated(batches: readonly Batch<Item>[], hint: IsolateHint): Promise<void> {
    const groups: RowGroup[] = []
    for (const batch of batches) groups.push(...(await this.admit(batch)))
    const orphaned = await this.isolate(groups, hint)
    if (orphaned) throw orphaned
  }

  /**
   * Writes the good rows of a failed piece, and rejects the bad ones.
   * @returns the error of a row that waits for rows of later batches. Nothing is rejected then, and the
   *   caller undoes what was written
   */
  async isolate(groups: readonly RowGroup[], hint: IsolateHint): Promise<PgBatchError | undefined> {
    const { error, row, plan, immediate, awaitsParents } = hint
    const { transaction, rows } = this.#opened!
    const rejects: (() => void)[] = []
    await rows.checkTypes()
    const orphaned = await isolateBatch(groups, {
      transaction,
      rows,
      plan: this.#plan,
      first: row && plan === this.#plan ? { row, error } : undefined,
      immediate,
      awaitsParents,
      reject: (batch, item, row, error) => {
        const reject = () => this.#reject(batch as Batch<Item>, item, row, error, deletesItem(batch, item))
        if (awaitsParents) rejects.push(reject)
        else reject() // at once, because the budget may end the work
      },
    })
    if (orphaned) return orphaned
    for (const reject of rejects) reject()
    this.rejected.sort()
    return undefined
  }

  /** Opens the transaction before its first batch, by the plan that suits this batch. */
  async open(first: Batch<Item> | undefined): Promise<OpenedTransaction<Item>> {
    if (first) await this.#prepare(first)
    this.#opened ??= await this.#open()
    await this.#begin(this.#opened)
    return this.#opened
  }

  async #begin({ transaction }: OpenedTransaction<Item>): Promise<void> {
    if (this.#hasBegun) return
    this.#hasBegun = true
    await runOnBegin(transaction, this.#context)
  }

  /** Opens the transaction, and returns the batch's rows that are still to be written. */
  async admit(batch: Batch<Item>): Promise<readonly RowGroup[]> {
    this.batches.push(batch)
    this.#items += batch.count
    const { budget, checkpoint, notesItems } = this.#context
    const notes = notesItems ? new ItemNotes(batch) : undefined
    if (notes) this.notes.push(notes)
    const { groups, skipped, invalid } = await this.#prepare(batch)
    // the batch is certain to fail: no row may be rejected, and no checkpoint can say that the row is written
    // already
    if (invalid.length > 0 && budget.left === 0 && !checkpoint) throw invalid[0]!.error
    this.#skipped += skipped
    this.#opened ??= await this.#open()
    const { rows, checkpoint: scope } = this.#opened
    if (groups.length > 0 || invalid.length > 0 || scope) await this.#begin(this.#opened)
    const fresh = await scope?.admit(batch, () => rows.close())
    for (const { index, row, isDelete, error } of invalid) {
      if (!fresh || fresh[index]) {
        this.#reject(batch, index, row, error, isDelete ?? deletesItem(batch, index))
      } else this.#skipped++
    }
    const left = fresh ? onlyFresh(groups, fresh) : groups
    this.#skipped += countRows(groups) - countRows(left)
    notes?.sent(left)
    return left
  }

  /**
   * Checks a batch against the table. When a row has an unknown key, first adds columns to the table, if that
   * is wanted, or introspects it again.
   */
  async #prepare(batch: Batch<Item>): Promise<PreparedBatch> {
    const { current, evolution, budget, checkpoint, limits, signals } = this.#context
    if (!this.#opened) await this.#addColumns()
    const isLate = this.#opened !== undefined && limits.endless === true
    if (isLate && evolution?.wantsColumns(batch, this.#plan)) throw newKeyTooLate(batch.id)
    const prepared = prepareBatch(batch, this.#plan)
    if (this.#opened || this.#keepsPlan || !hasUnknownKey(prepared, this.#plan)) return prepared
    const urgent = budget.left === 0 && !checkpoint
    if (!(await current.replaces(this.#plan, { urgent, stop: signals.stop }))) return prepared
    this.#plan = current.plan
    await this.#addColumns() // the table may have lost a column
    return prepareBatch(batch, this.#plan)
  }

  /**
   * Adds columns for the keys of all batches that are known, because the table cannot change while the
   * transaction is open.
   */
  async #addColumns(): Promise<void> {
    const { current, evolution } = this.#context
    if (!evolution || this.#keepsPlan) return
    await evolution.addColumns(this.#planned, this.#plan)
    this.#plan = current.plan
  }

  async #open(): Promise<OpenedTransaction<Item>> {
    const { signals, checkpoint, canReleaseItems, transactions } = this.#context
    const transaction = await transactions.begin()
    const { lease } = transaction
    const rows = new RowsInTransaction(transaction, {
      plan: this.#plan,
      byInsert: this.#byInsert,
      signal: signals.stop,
      // on Citus a second attempt may go by INSERT, which needs the rows
      canReleaseItems: canReleaseItems && !this.#plan.isCitus,
      slabs: this.slabs,
    })
    const scope = checkpoint && new CheckpointScope(checkpoint, transaction, this.#plan)
    return { lease, transaction, rows, checkpoint: scope }
  }

  #reject(
    batch: Batch<Item>,
    index: number,
    row: object | undefined,
    error: PgBatchError,
    isDelete: boolean,
  ): void {
    this.rejected.add({ batch, index, row, error, isDelete }, this.#plan)
    this.notes.findLast(notes => notes.batch === batch)?.rejected(index)
  }
}

/** Returns the rows of items that the checkpoint does not have yet. */
function onlyFresh(groups: readonly RowGroup[], fresh: readonly boolean[]): readonly RowGroup[] {
  return groups
    .map(group => ({ ...group, rows: group.rows.filter((_, index) => fresh[index]!) }))
    .filter(({ rows }) => rows.length > 0)
}

/** Returns true when the item's row is to be deleted. */
function deletesItem(batch: Batch<unknown>, index: number): boolean {
  const deletes = batch.prepared?.groups.find(({ shape }) => shape.deletes)
  return deletes?.rows.hasItem(index) ?? false
}
