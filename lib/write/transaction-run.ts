import type { PgClientLike, PgPoolLike } from '../connection/pg-types.ts'
import { Lease, type StopSignals } from '../connection/pool/lease.ts'
import { withinCallbackTime } from '../connection/transaction/callback-limits.ts'
import type { TransactionTicket } from '../connection/transaction/outcome.ts'
import { Transaction, type TransactionOptions } from '../connection/transaction/transaction.ts'
import type { SlabLease, SlabPool } from '../encode/wire/slabs.ts'
import { PgBatchError } from '../errors.ts'
import {
  type CheckpointPlan,
  CheckpointScope,
  type KnownPosition,
  type Position,
  positionOf,
} from './checkpoint/checkpoint.ts'
import type { SourceOrder } from './checkpoint/source-order.ts'
import { CallbackError, failurePlace, outcomeOf, toPgBatchError } from './faults/failure.ts'
import { isRowsFault } from './faults/transient.ts'
import { isolateBatch } from './isolate/isolate-batch.ts'
import type { AbandonedTransaction } from './outcome/end-abandoned.ts'
import type { CurrentPlan } from './plan/current-plan.ts'
import type { WritePlan } from './plan/plan.ts'
import { type BinaryColumn, NO_TEXTS, withTexts } from './plan/row-texts.ts'
import { textsOfBytes } from './plan/texts-of-bytes.ts'
import { hasUnknownKey, prepareBatch } from './prepare/prepare-batch.ts'
import { type DeadLetterTable, type RejectedRow, storeDeadLetters } from './rejects/dead-letter.ts'
import type { RejectBudget } from './rejects/reject-budget.ts'
import { type Batch, isBytesOnly, type PreparedBatch, placeOfItem, type RowGroup } from './rows/batch.ts'
import { RowError, type RowPlace } from './rows/row-sender.ts'
import { RowsInTransaction } from './send/rows-in-transaction.ts'
import { ItemNotes, type SettledItems } from './settled-items.ts'

/** What every transaction of a stream is run with. */
export interface RunContext<Item> {
  readonly pool: PgPoolLike
  readonly current: CurrentPlan<Item>
  readonly limits: TransactionOptions
  readonly checkpoint: CheckpointPlan<Item> | undefined
  readonly position: ((item: Item) => Position) | undefined
  readonly deadLetterTable: DeadLetterTable | undefined
  /** What is kept of an item that has no row, or none that fits the columns. */
  readonly rejectedItem: ((item: Item) => unknown) | undefined
  readonly budget: RejectBudget
  /** Nothing but another attempt may still want a batch's items once they are sent. */
  readonly bytesSuffice: boolean
  readonly slabs: SlabPool
  readonly inTransaction: ((client: PgClientLike, batch: readonly Item[]) => Promise<void> | void) | undefined
  readonly callbackTimeoutMs: number
  /** A callback receives items by what became of them. */
  readonly notesItems: boolean
  readonly signals: StopSignals
}

/** What a transaction committed. */
export interface Committed<Item> {
  readonly batches: readonly Batch<Item>[]
  /** Rows that the server says it has inserted, updated or deleted. */
  readonly rows: number
  /** Rows that were sent and changed nothing. */
  readonly unchanged: number
  /** Items without a row, and items that were in the table already. */
  readonly skipped: number
  readonly rejected: readonly RejectedRow<Item>[]
  /** For each batch what became of its items; empty where no callback receives them. */
  readonly settled: readonly SettledItems<Item>[]
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  readonly durationMs: number
}

/** What is known of a batch that has failed as a whole. */
export interface IsolateHint {
  readonly error: PgBatchError
  readonly place: RowPlace | undefined
  /** Deferred constraints are checked with each piece, since one of them is to blame. */
  readonly immediate: boolean
}

/**
 * One transaction under way, from its first batch to COMMIT or ROLLBACK. Used once: `add` for each batch, or
 * `addIsolated` for one, then `commit`; after an error `rollback` and `explain`; `release` in every case.
 */
export class TransactionRun<Item> {
  readonly batches: Batch<Item>[] = []
  readonly #context: RunContext<Item>
  #plan: WritePlan<Item>
  /** The plan stays, whatever the table has become. */
  readonly #isBound: boolean
  readonly #started = performance.now()
  #lease: Lease | undefined
  #transaction: Transaction | undefined
  #rows: RowsInTransaction | undefined
  readonly #slabs: SlabLease
  #checkpoint: CheckpointScope<Item> | undefined
  /** For each batch, where a callback is to receive its items. */
  readonly #notes: ItemNotes<Item>[] = []
  readonly #rejected: RejectedRow<Item>[] = []
  /** Values of rejected rows whose text only the server knows. */
  readonly #binary = new Map<RejectedRow<Item>, readonly BinaryColumn[]>()
  #items = 0
  #skipped = 0
  #reserved = 0

  readonly #byInsert: boolean

  /**
   * @param batches what it is to write, as far as that is known: some may be held as bytes of an earlier plan
   * @param byInsert all rows go by INSERT, whatever the plan's method
   */
  constructor(context: RunContext<Item>, batches: readonly Batch<Item>[] = [], byInsert = false) {
    this.#context = context
    this.#byInsert = byInsert
    const made = batches.find(isBytesOnly)?.prepared?.plan as WritePlan<Item> | undefined
    this.#isBound = made !== undefined
    this.#plan = made ?? context.current.plan
    this.#slabs = context.slabs.lease()
  }

  /** Rows that were added and not rejected. */
  get #sent(): number {
    return this.#items - this.#skipped - this.#rejected.length
  }

  /** What its rows are made by. */
  get plan(): WritePlan<Item> {
    return this.#plan
  }

  /** Items that were added, those without a row included: all of them are held. */
  get items(): number {
    return this.#items
  }

  get bytes(): number {
    return this.#rows?.bytes ?? 0
  }

  get method(): 'copy' | 'insert' {
    return this.#rows?.method ?? 'insert'
  }

  get ageMs(): number {
    return performance.now() - this.#started
  }

  /** How long a statement may take. */
  get timeoutMs(): number {
    return this.ticket?.timeoutMs ?? this.#context.limits.statementTimeoutMs
  }

  /** How to ask for the outcome, should it stay open. */
  get ticket(): TransactionTicket | undefined {
    return this.#transaction?.ticket
  }

  /** What the server may still hold open, since the connection broke before the transaction ended. */
  get abandoned(): AbandonedTransaction | undefined {
    if (!this.#lease?.broken || !this.ticket) return undefined
    return { ticket: this.ticket, commitSent: this.#transaction!.state === 'committing' }
  }

  /** Something else than this run has ended the transaction, and the server cannot say how. */
  get isLost(): boolean {
    return this.#transaction?.state === 'lost'
  }

  /** Positions that the checkpoint holds if this transaction was committed. */
  get reached(): ReadonlyMap<string, SourceOrder> {
    return this.#checkpoint?.reached ?? new Map()
  }

  /** To be called once the transaction is known to be committed. */
  noteCommitted(): void {
    this.#checkpoint?.noteCommitted()
  }

  get result(): Committed<Item> {
    const unchanged = Math.min(this.#sent, this.#rows?.unchanged ?? 0)
    return {
      batches: this.batches,
      rows: this.#sent - unchanged,
      unchanged,
      skipped: this.#skipped,
      rejected: this.#rejected,
      settled: this.#notes.map(notes => notes.settled()),
      bytes: this.bytes,
      method: this.method,
      durationMs: this.ageMs,
    }
  }

  /** False for a batch that another plan suits better, or might: a new transaction finds out. */
  suits(batch: Batch<Item>): boolean {
    const { current } = this.#context
    if (current.plan !== this.#plan) return false
    return !current.mayLook || !hasUnknownKey(prepareBatch(batch, this.#plan), this.#plan)
  }

  async add(batch: Batch<Item>): Promise<void> {
    const groups = await this.#admit(batch)
    if (groups.length > 0) await this.#rows!.send(groups)
  }

  /** Adds a batch that has failed as a whole: its bad rows are rejected one by one, the others written. */
  async addIsolated(batch: Batch<Item>, hint: IsolateHint): Promise<void> {
    const groups = await this.#admit(batch)
    const transaction = this.#transaction!
    await this.#rows!.checkTypes()
    if (hint.immediate) transaction.before('SET CONSTRAINTS ALL IMMEDIATE')
    await isolateBatch(groups, {
      transaction,
      rows: this.#rows!,
      plan: this.#plan,
      first: hint.place && { place: hint.place, error: hint.error },
      immediate: hint.immediate,
      reject: (item, row, error) => this.#reject(batch, item, row, error),
    })
    this.#rejected.sort((a, b) => a.index - b.index)
  }

  async commit(): Promise<void> {
    const { deadLetterTable, signals } = this.#context
    await this.#rows?.close()
    await this.#callInTransaction()
    await this.#readBinaryValues()
    if (deadLetterTable && this.#rejected.length > 0) {
      await storeDeadLetters(this.#transaction!, deadLetterTable, this.#plan.table, this.#rejected)
    }
    await this.#checkpoint?.store()
    signals.stop.throwIfAborted()
    await this.#transaction?.commit()
    // the server has read it all, and nobody will send it again
    this.#slabs.release()
  }

  /** Never throws: what cannot be rolled back politely ends with its connection. */
  async rollback(): Promise<void> {
    await this.#rows?.abort()
    await this.#transaction?.rollback()
  }

  release(): void {
    this.#lease?.release()
  }

  /** Returns this attempt's rejects to the budget, since its rows will be tried again, or given up. */
  releaseBudget(): void {
    this.#context.budget.release(this.#reserved)
    this.#reserved = 0
  }

  /** Where an error of the server's or of ours is to be looked for; before `rollback`. */
  locate(error: unknown): RowPlace | undefined {
    if (error instanceof RowError) return error.place
    // a statement that took too long was at some row, too, which is not to blame
    return isRowsFault(error) ? this.#rows?.locate(error) : undefined
  }

  /** Says what `error`, which came at that place, did to the rows; after `rollback`. */
  explain(error: unknown, place: RowPlace | undefined): PgBatchError {
    const outcome = outcomeOf(this.#transaction?.state ?? 'fresh')
    const only = this.batches.length === 1 ? { batchId: this.batches[0]!.id } : {}
    const { stop } = this.#context.signals
    if (stop.aborted && !(error instanceof PgBatchError)) {
      return new PgBatchError('ABORTED', 'The stream was destroyed before the rows were committed', {
        ...only,
        outcome,
        cause: stop.reason,
      })
    }
    const during = this.#lease ? 'write' : 'connect'
    return toPgBatchError(error, outcome, place ? failurePlace(place) : only, during)
  }

  /** Opens the transaction, and returns the batch's rows that are still to be written. */
  async #admit(batch: Batch<Item>): Promise<readonly RowGroup[]> {
    this.batches.push(batch)
    this.#items += batch.count
    const { budget, checkpoint, notesItems } = this.#context
    const notes = notesItems ? new ItemNotes(batch) : undefined
    if (notes) this.#notes.push(notes)
    const { groups, skipped, invalid } = await this.#prepare(batch)
    // where no row may be rejected, and none can have been before, nothing need be sent to know how this ends
    if (invalid.length > 0 && budget.left === 0 && !checkpoint) throw invalid[0]!.error
    this.#skipped += skipped
    await this.#open()
    const fresh = await this.#checkpoint?.admit(batch, () => this.#rows!.close())
    for (const { index, row, isDelete, error } of invalid) {
      if (!fresh || fresh[index]) this.#reject(batch, index, row, error, isDelete)
      else this.#skipped++
    }
    const left = fresh
      ? groups
          .map(group => ({ ...group, rows: group.rows.filter((_, index) => fresh[index]!) }))
          .filter(({ rows }) => rows.length > 0)
      : groups
    notes?.sent(left)
    if (!fresh) return groups
    this.#skipped += countRows(groups) - countRows(left)
    return left
  }

  /** Checks a batch against the table; before rows are refused for an unknown key, against the table as it is now. */
  async #prepare(batch: Batch<Item>): Promise<PreparedBatch> {
    const { current, budget, checkpoint, signals } = this.#context
    const prepared = prepareBatch(batch, this.#plan)
    if (this.#transaction || this.#isBound || !hasUnknownKey(prepared, this.#plan)) return prepared
    const urgent = budget.left === 0 && !checkpoint
    if (!(await current.replaces(this.#plan, { urgent, stop: signals.stop }))) return prepared
    this.#plan = current.plan
    return prepareBatch(batch, this.#plan)
  }

  async #open(): Promise<void> {
    if (this.#transaction) return
    const { pool, signals, limits, checkpoint, bytesSuffice } = this.#context
    this.#lease = await Lease.take(pool, signals, limits.statementTimeoutMs)
    this.#transaction = new Transaction(this.#lease, limits)
    this.#rows = new RowsInTransaction(this.#transaction, {
      plan: this.#plan,
      byInsert: this.#byInsert,
      signal: signals.stop,
      // a second attempt may go by INSERT, which needs the rows
      bytesSuffice: bytesSuffice && !this.#plan.isCitus,
      slabs: this.#slabs,
    })
    if (checkpoint) this.#checkpoint = new CheckpointScope(checkpoint, this.#transaction, this.#plan)
  }

  /**
   * @param row undefined where `toRow` made none of the item
   * @throws the row's error, when no further row may be rejected
   */
  #reject(
    batch: Batch<Item>,
    index: number,
    row: object | undefined,
    error: PgBatchError,
    isDelete = deletesItem(batch, index),
  ): void {
    const { budget, rejectedItem } = this.#context
    if (!budget.take(1)) throw error
    this.#reserved++
    this.#notes.findLast(notes => notes.batch === batch)?.rejected(index)
    const item = batch.items[index] as Item
    const position = this.#positionOf(item)
    const texts = row ? this.#plan.textsOf(row) : NO_TEXTS
    const { values, withoutText, binary } = texts
    const reject: RejectedRow<Item> = {
      row: texts === NO_TEXTS && rejectedItem ? rejectedItem(item) : (row ?? item),
      item,
      values,
      withoutText,
      ...(isDelete ? { operation: 'delete' as const } : {}),
      error,
      batchId: batch.id,
      index: placeOfItem(batch, index),
      position,
    }
    this.#rejected.push(reject)
    if (binary.length > 0) this.#binary.set(reject, binary)
  }

  async #readBinaryValues(): Promise<void> {
    if (this.#binary.size === 0) return
    const texts = await textsOfBytes(this.#transaction!, [...this.#binary.values()].flat())
    for (const [index, reject] of this.#rejected.entries()) {
      const binary = this.#binary.get(reject)
      if (binary) this.#rejected[index] = { ...reject, ...withTexts(reject, binary, texts) }
    }
  }

  #positionOf(item: Item): KnownPosition | undefined {
    const { checkpoint, position } = this.#context
    if (checkpoint) return positionOf(checkpoint.position, item, 'checkpoint.position')
    return position && positionOf(position, item, 'position')
  }

  async #callInTransaction(): Promise<void> {
    const { inTransaction, callbackTimeoutMs } = this.#context
    if (!inTransaction) return
    for (const notes of this.#notes) {
      const items = notes.written()
      if (items.length === 0) continue
      try {
        await this.#transaction!.lend(client =>
          withinCallbackTime('inTransaction', callbackTimeoutMs, () => inTransaction(client, items)),
        )
      } catch (cause) {
        throw new CallbackError('inTransaction', cause)
      }
    }
  }
}

function countRows(groups: readonly RowGroup[]): number {
  return groups.reduce((count, { rows }) => count + rows.length, 0)
}

/** True for an item whose row is among those that are to be deleted. */
function deletesItem(batch: Batch<unknown>, index: number): boolean {
  const deletes = batch.prepared?.groups.find(({ shape }) => shape.deletes)
  return deletes?.rows.hasItem(index) ?? false
}
