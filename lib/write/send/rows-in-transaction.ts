import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import { lockStatement } from '../../table/statements.ts'
import { explainChange } from '../faults/table-changed.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import { countRows, type PreparedBatch, type RowGroup } from '../rows/batch.ts'
import { RowResults } from '../rows/row-results.ts'
import type { RowRef, RowSender } from '../rows/row-sender.ts'
import { type EachResult, EachRow, mayGoAlone } from './by-row/each-row.ts'
import { chooseMethods, type MethodContext, upsertMethod } from './choose-method.ts'
import { rowsOfRecords } from './insert/rows-of-records.ts'
import { isUpsert, makeSender } from './make-sender.ts'
import { SharedStaging } from './upsert/shared-staging.ts'
import { StagingSender } from './upsert/staging-sender.ts'
import { UpsertSender } from './upsert/upsert-sender.ts'

export interface RowsOptions {
  readonly plan: TablePlan
  /** All rows go by INSERT, whatever the plan's method. */
  readonly byInsert: boolean
  readonly signal: AbortSignal
  /** Where possible, batches are held only as bytes once they are sent. */
  readonly canReleaseItems: boolean
  /** The memory of this transaction. */
  readonly slabs: SlabLease
}

/**
 * Sends rows in one transaction, each group by the method that suits it. A method stays in use as long as the
 * groups allow, so that one COPY takes many batches.
 */
export class RowsInTransaction {
  /** What each row did, where each has a statement of its own. */
  readonly results = new RowResults()
  readonly #transaction: Transaction
  readonly #options: RowsOptions
  readonly #plan: TablePlan
  readonly #staging: SharedStaging
  #sender: RowSender | undefined
  #each: EachRow | undefined
  #closedBytes = 0
  #sentRows = 0
  #unchanged = 0
  /** `#unchanged` before the current piece, which may still be rolled back. */
  #unchangedBefore = 0
  /** `#unchanged` before the first piece. */
  #unchangedAtFirst = 0
  #copied = false
  /** A batch is sent in pieces, to find its bad rows. */
  #inPieces = false

  constructor(transaction: Transaction, options: RowsOptions) {
    this.#transaction = transaction
    this.#options = options
    this.#plan = options.plan
    this.#staging = new SharedStaging(transaction, options.plan)
  }

  get bytes(): number {
    return this.#closedBytes + (this.#sender?.bytes ?? 0)
  }

  /** How many rows changed nothing, of those whose sender was closed. */
  get unchanged(): number {
    return this.#unchanged
  }

  get method(): 'copy' | 'insert' {
    return this.#copied ? 'copy' : 'insert'
  }

  /** Sends the rows of one batch. */
  async send(groups: PreparedBatch['groups']): Promise<void> {
    const { signal } = this.#options
    const { csv, format } = this.#plan
    const context = this.#methodContext
    const rows = csv && context.wanted === 'insert' ? groups.map(group => rowsOfRecords(group, csv)) : groups
    const { copy, insert } = chooseMethods(rows, this.#plan, context)
    if (copy.length > 0) await (await this.#senderFor('copy')).send(copy, signal)
    if (insert.length > 0) await (await this.#senderFor('insert')).send(insert.map(this.#asObjects), signal)
    format.batchDone()
    this.#sentRows += countRows(groups)
  }

  get #methodContext(): MethodContext {
    return {
      wanted: this.#options.byInsert ? 'insert' : this.#plan.method,
      current: this.#sender?.method,
      sentRows: this.#sentRows,
      inPieces: this.#inPieces,
    }
  }

  /** INSERT takes values, and no lines of a file. */
  readonly #asObjects = (group: RowGroup): RowGroup => {
    const { recordKeys, objectOf } = this.#plan
    return recordKeys ? { ...group, rows: group.rows.map(objectOf) } : group
  }

  /**
   * Finds out whether the table has changed, which may be why rows were refused. Its lock is taken here, and
   * lasts until the transaction ends: a rollback to a savepoint would give back the lock of a COPY.
   * @throws PgBatchError when it has changed
   */
  async checkTypes(): Promise<void> {
    const { copyFormat, method, columns, shapes, requireSameTypes, table } = this.#plan
    if (copyFormat === 'text' || columns.length === 0) return
    if (method !== 'insert' && this.#transaction.isTicketed) this.#transaction.before(lockStatement(table))
    try {
      await this.#transaction.query(requireSameTypes(shapes.whole))
    } catch (error) {
      throw explainChange(error, table)
    }
  }

  /** Makes the staging table that all batches share where each is merged by itself. */
  async shareStaging(): Promise<void> {
    if (isUpsert(this.#plan) && this.#methodContext.wanted !== 'insert') await this.#staging.createForAll()
  }

  /** Prepares for a batch in pieces; `beforePiece` then begins each one. */
  async beginPieces(groups: PreparedBatch['groups']): Promise<void> {
    this.#inPieces = true
    this.#unchangedAtFirst = this.#unchanged
    const isStaged = isUpsert(this.#plan) && upsertMethod(groups, this.#plan, this.#methodContext) === 'copy'
    if (isStaged) await this.#staging.createForPieces()
  }

  /**
   * Sets a savepoint, if any, before the piece that is sent next.
   * @throws the reason for which the stream was stopped
   */
  beforePiece(savepoint?: string): void {
    this.#options.signal.throwIfAborted()
    this.#staging.clear()
    this.#unchangedBefore = this.#unchanged
    if (savepoint) this.#transaction.before(savepoint)
  }

  /** Returns true where rows may go one by one in one round trip, see {@link EachRow}. */
  get maySendEach(): boolean {
    return !this.#options.byInsert && mayGoAlone(this.#plan, this.#transaction)
  }

  /**
   * Writes the first ones of several rows one by one, each under a savepoint. Groups have one row each.
   * @param checks statements after each row, of which the first may fail because of the row
   */
  async sendEach(groups: readonly RowGroup[], checks: readonly string[]): Promise<EachResult> {
    this.#options.signal.throwIfAborted()
    this.#each ??= new EachRow(this.#transaction, this.#plan, this.#options.slabs)
    const result = await this.#each.send(groups, checks, this.#staging.name)
    this.#closedBytes += result.bytes
    this.#unchanged += result.unchanged
    if (!this.#plan.merge) this.#copied = true
    this.#plan.format.batchDone()
    return result
  }

  /** Undoes all pieces since `beginPieces` by a statement that rolls back to a point before it. */
  undoPieces(rollback: string): void {
    this.#unchanged = this.#unchangedAtFirst
    this.#staging.forgetPieces()
    this.#transaction.before(rollback)
  }

  /** Counts rows that turned out to change nothing after they were sent. */
  addUnchanged(count: number): void {
    this.#unchanged += count
  }

  /**
   * Resolves when the server has written every row in this transaction.
   * @param commits nothing but COMMIT follows: it may be sent with the rows
   */
  async close(commits = false): Promise<void> {
    if (!this.#sender) return
    await this.#sender.close(commits)
    this.#closedBytes += this.#sender.bytes
    this.#unchanged += this.#sender.unchanged
    this.#sender = undefined
  }

  /** Leaves the connection ready for ROLLBACK, and forgets what the current piece has counted. */
  async abort(): Promise<void> {
    const sender = this.#sender
    this.#unchanged = this.#unchangedBefore
    this.#sender = undefined
    await sender?.abort()
  }

  /** Returns the row that an error is about, if that is known. Must be called before `abort`. */
  locate(error: unknown): RowRef | undefined {
    return this.#sender?.locate(error)
  }

  /** Returns the column that an error is about, if only that is known. Must be called before `abort`. */
  columnOf(error: unknown): string | undefined {
    return this.#sender?.columnOf?.(error)
  }

  async #senderFor(method: 'copy' | 'insert'): Promise<RowSender> {
    const sender = this.#sender
    if (sender && sender.method !== method) {
      // one merge of all rows locks them in the order of their keys
      const waiting = sender instanceof UpsertSender ? sender.takeWaiting() : []
      await this.close()
      this.#sender = this.#makeSender(method)
      for (const groups of waiting) await this.#sender.send(groups, this.#options.signal)
    }
    this.#sender ??= this.#makeSender(method)
    if (method === 'copy') this.#copied = true
    return this.#sender
  }

  #makeSender(method: 'copy' | 'insert'): RowSender {
    const sender = makeSender(method, this.#transaction, {
      ...this.#options,
      results: this.results,
      staging: this.#staging.name,
      inPieces: this.#inPieces,
    })
    if (sender instanceof StagingSender) this.#staging.used()
    return sender
  }
}
