import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import { clearStagingStatement } from '../../table/merge/merge-source.ts'
import { MAX_SHAPES_OF_A_TURN } from '../../table/merge/merge-strategy.ts'
import type { Method } from '../../types.ts'
import { tableChanged } from '../faults/table-changed.ts'
import type { CopyFormatChoice } from '../plan/copy-format.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { PreparedBatch, RowGroup } from '../rows/batch.ts'
import type { RowRef, RowSender } from '../rows/row-sender.ts'
import { CopySender } from './copy-sender.ts'
import { InsertSender } from './insert-sender.ts'
import { rowsOfRecords } from './rows-of-records.ts'
import { createStaging, StagingSender } from './staging-sender.ts'
import { UpsertSender } from './upsert-sender.ts'

/**
 * Rows of a batch from which an upsert by COPY, staging table and merge beats one by INSERT. A batch alone, on loopback: 1.13
 * times INSERT's time at 50 rows, 1.00 at 75, 0.91 at 100, 0.76 at 200, 0.62 at 500 (bench/write-grid). Both wait
 * for three round trips (bench/round-trips), so that a network changes nothing.
 */
const UPSERT_BY_COPY_FROM_ROWS = 100

/**
 * An upsert of fewer rows for each shape than this, of more shapes than one statement merges, goes by INSERT, a statement
 * for each row. The merge would be a loop on the server, which plans a statement for each shape: 3,000 rows of as many
 * shapes of 24 columns took 2.1 to 3.3 times as long by it.
 */
const UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE = 3

/**
 * Plain rows of one shape need no such number: COPY takes 0.73 of INSERT's time for one row, 0.49 for 50, 0.28 for 500,
 * and further batches join it without a round trip (bench/write-grid). Of several shapes each takes a COPY of its own,
 * while one INSERT takes rows of all of them; this many rows of a shape make up for a round trip of 0.4 ms.
 */
const MIXED_COPY_FROM_ROWS = 50

/** With `method: 'copy'`, from here on shapes of few rows go by INSERT all the same: a COPY for each row would crawl. */
const MAX_SHAPES_BY_COPY = 16

export interface RowsOptions {
  readonly plan: TablePlan
  /** All rows go by INSERT, whatever the plan's method. */
  readonly byInsert: boolean
  readonly signal: AbortSignal
  /** Batches hold only their rows' bytes once these are sent, where that is possible. */
  readonly canReleaseItems: boolean
  /** Memory of this transaction's. */
  readonly slabs: SlabLease
}

/**
 * Sends rows in one transaction, by the method that suits each group of them; a method stays in use for as long as
 * the groups allow, so that one COPY takes many batches.
 */
export class RowsInTransaction {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #method: Method
  readonly #format: CopyFormatChoice
  readonly #signal: AbortSignal
  readonly #canReleaseItems: boolean
  readonly #slabs: SlabLease
  #sender: RowSender | undefined
  #closedBytes = 0
  #unchanged = 0
  /** What it was before the piece that may yet be rolled back. */
  #unchangedBefore = 0
  /** What it was before the first piece. */
  #unchangedAtFirst = 0
  /** The staging table of a batch's pieces, and whether there may be rows in it. */
  #staging: string | undefined
  #staged = false
  #copied = false

  constructor(transaction: Transaction, { plan, byInsert, signal, canReleaseItems, slabs }: RowsOptions) {
    this.#transaction = transaction
    this.#plan = plan
    this.#method = byInsert ? 'insert' : plan.method
    this.#format = plan.format
    this.#signal = signal
    this.#canReleaseItems = canReleaseItems
    this.#slabs = slabs
  }

  get bytes(): number {
    return this.#closedBytes + (this.#sender?.bytes ?? 0)
  }

  /** Rows that changed nothing, of those whose sender was closed. */
  get unchanged(): number {
    return this.#unchanged
  }

  get method(): 'copy' | 'insert' {
    return this.#copied ? 'copy' : 'insert'
  }

  /** Sends the rows of one batch. */
  async send(groups: PreparedBatch['groups']): Promise<void> {
    const { csv } = this.#plan
    const rows = csv && this.#method === 'insert' ? groups.map(group => rowsOfRecords(group, csv)) : groups
    const [byCopy, byInsert] = this.#byMethod(rows)
    if (byCopy.length > 0) await (await this.#senderFor('copy')).send(byCopy, this.#signal)
    if (byInsert.length > 0) await (await this.#senderFor('insert')).send(byInsert, this.#signal)
    this.#format.batchDone()
  }

  /** @throws PgBatchError when rows were refused because of how the table is by now, which is no fault of theirs */
  async checkTypes(): Promise<void> {
    const { copyFormat, columns, shapes, sameTypes, table } = this.#plan
    if (copyFormat === 'text' || columns.length === 0) return
    const { rows } = await this.#transaction.query(sameTypes(shapes.whole))
    if (rows[0]!.pg_batch_same === 'false') throw tableChanged(table)
  }

  /**
   * To be called before a batch is sent in pieces, which `beforePiece` begins. Upserts then share a staging table that
   * is older than the pieces' savepoints: one for each would cost milliseconds, and a lock until the transaction ends,
   * of which the server has a few thousand in all.
   */
  async beginPieces(groups: PreparedBatch['groups']): Promise<void> {
    this.#unchangedAtFirst = this.#unchanged
    if (!this.#isUpsert() || this.#upsertMethod(groups) === 'insert') return
    this.#staging = await createStaging(this.#transaction, this.#plan)
  }

  /** Has a savepoint set before the piece that is sent next. */
  beforePiece(savepoint: string): void {
    // in place, and so cheap, in the subtransaction that has made the table
    if (this.#staging && this.#staged) this.#transaction.before(clearStagingStatement(this.#staging))
    this.#staged = false
    this.#unchangedBefore = this.#unchanged
    this.#transaction.before(savepoint)
  }

  /** Has all pieces since `beginPieces` undone by a statement that goes back to before it. */
  undoPieces(rollback: string): void {
    this.#unchanged = this.#unchangedAtFirst
    this.#staging = undefined
    this.#staged = false
    this.#transaction.before(rollback)
  }

  /** Resolves when all rows are in the table, as far as the transaction goes. */
  async close(): Promise<void> {
    if (!this.#sender) return
    await this.#sender.close()
    this.#closedBytes += this.#sender.bytes
    this.#unchanged += this.#sender.unchanged
    this.#sender = undefined
  }

  /** Leaves the connection ready for ROLLBACK, and begins anew: what the piece has done does not count. */
  async abort(): Promise<void> {
    const sender = this.#sender
    this.#unchanged = this.#unchangedBefore
    this.#sender = undefined
    await sender?.abort()
  }

  /** The row that an error names, if it names one; before `abort`. */
  locate(error: unknown): RowRef | undefined {
    return this.#sender?.locate(error)
  }

  async #senderFor(method: 'copy' | 'insert'): Promise<RowSender> {
    if (this.#sender && this.#sender.method !== method) await this.close()
    this.#sender ??= this.#makeSender(method)
    if (method === 'copy') this.#copied = true
    return this.#sender
  }

  /** An upsert's shapes share one statement, by either method. */
  #upsertMethod(groups: PreparedBatch['groups']): 'copy' | 'insert' {
    if (this.#method !== 'auto') return this.#method
    if (this.#sender?.method === 'copy') return 'copy'
    const count = groups.reduce((total, { rows }) => total + rows.length, 0)
    const hasFewOfEach = count < groups.length * UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE
    if (groups.length > MAX_SHAPES_OF_A_TURN && hasFewOfEach) return 'insert'
    return count >= UPSERT_BY_COPY_FROM_ROWS ? 'copy' : 'insert'
  }

  /** The groups that go by COPY, and those that go by INSERT. A COPY of no columns cannot be said. */
  #byMethod(groups: PreparedBatch['groups']): [RowGroup[], RowGroup[]] {
    const method = this.#method
    const { conflict, selfReferences } = this.#plan
    // rows may refer to rows of another shape: foreign keys are checked at the end of each COPY, and that is too early
    if (!conflict && groups.length > 1 && selfReferences.length > 0) return [[], [...groups]]
    if (conflict) return this.#upsertMethod(groups) === 'copy' ? [[...groups], []] : [[], [...groups]]
    const takesAll = groups.length === 1 || (method === 'copy' && groups.length <= MAX_SHAPES_BY_COPY)
    const suitsCopy = ({ shape, rows }: RowGroup): boolean =>
      method !== 'insert' && shape.columns.length > 0 && (takesAll || rows.length >= MIXED_COPY_FROM_ROWS)
    return [groups.filter(suitsCopy), groups.filter(group => !suitsCopy(group))]
  }

  #makeSender(method: 'copy' | 'insert'): RowSender {
    const upsert = this.#isUpsert()
    if (method === 'copy') this.#staged = true
    if (method === 'insert' && upsert) return new UpsertSender(this.#transaction, this.#plan)
    if (method === 'insert') return new InsertSender(this.#transaction, this.#plan)
    return upsert
      ? new StagingSender(this.#transaction, this.#plan, this.#format, this.#staging, this.#slabs)
      : new CopySender(this.#transaction, this.#plan, this.#format, {
          canReleaseItems: this.#canReleaseItems,
          slabs: this.#slabs,
        })
  }

  /** Without a catalogue an upsert is the plain INSERT's business. */
  #isUpsert(): boolean {
    return this.#plan.merge !== undefined
  }
}
