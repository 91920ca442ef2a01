import type { Transaction } from '../../connection/transaction/transaction.ts'
import { ByteBuffer } from '../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import { clearStagingStatement } from '../../table/merge/merge-source.ts'
import { MAX_SHAPES_OF_A_TURN } from '../../table/merge/merge-strategy.ts'
import { REPLACEMENT } from '../../table/replacement-sql.ts'
import type { Method } from '../../types.ts'
import { tableChanged } from '../faults/table-changed.ts'
import type { CopyFormatChoice } from '../plan/copy-format.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { PreparedBatch, RowGroup } from '../rows/batch.ts'
import { RowResults } from '../rows/row-results.ts'
import type { RowRef, RowSender } from '../rows/row-sender.ts'
import { mixedGroup } from '../rows/rows-in-order.ts'
import { MergeReturningSender } from './by-row/merge-returning-sender.ts'
import { RowByRowSender } from './by-row/row-by-row-sender.ts'
import { CopySender } from './copy/copy-sender.ts'
import { InsertSender } from './insert/insert-sender.ts'
import { rowsOfRecords } from './insert/rows-of-records.ts'
import { createStaging, StagingSender } from './upsert/staging-sender.ts'
import { UpsertSender } from './upsert/upsert-sender.ts'

/**
 * From this many rows on, an upsert by COPY, staging table and merge is faster than by INSERT. A single batch
 * on loopback takes 1.13 times INSERT's time at 50 rows, 1.00 at 75, 0.91 at 100, 0.76 at 200, 0.62 at 500
 * (bench/write-grid). Both wait for the same number of round trips (bench/round-trips), so that a network
 * changes nothing.
 */
const UPSERT_BY_COPY_FROM_ROWS = 100

/**
 * An upsert with more shapes than one statement merges, and fewer rows per shape than this, goes by INSERT, a
 * statement for each row. The merge would be a loop on the server, which plans a statement for each shape:
 * 3,000 rows with as many shapes of 24 columns took 2.1 to 3.3 times as long that way.
 */
const UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE = 3

/**
 * From this many rows of a shape on, COPY is faster where a batch has several shapes: each shape needs its
 * own COPY, while one INSERT takes rows of all shapes. This many rows make up for a round trip of 0.4 ms.
 * Plain rows of a single shape always go by COPY: it takes 0.73 of INSERT's time for one row, 0.49 for 50,
 * 0.28 for 500, and further batches join it without a round trip (bench/write-grid).
 */
const MIXED_COPY_FROM_ROWS = 50

/**
 * With more shapes than this, those of few rows go by INSERT even with `method: 'copy'`: a COPY per row would
 * crawl.
 */
const MAX_SHAPES_BY_COPY = 16

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
  readonly #plan: TablePlan
  readonly #method: Method
  readonly #format: CopyFormatChoice
  readonly #signal: AbortSignal
  readonly #canReleaseItems: boolean
  readonly #slabs: SlabLease
  #sender: RowSender | undefined
  #closedBytes = 0
  /** How many rows were sent. */
  #count = 0
  #unchanged = 0
  /** `#unchanged` before the current piece, which may still be rolled back. */
  #unchangedBefore = 0
  /** `#unchanged` before the first piece. */
  #unchangedAtFirst = 0
  /** A staging table that was made before all savepoints, and that all pieces share. */
  #shared: string | undefined
  /** The staging table of a batch's pieces, and whether there may be rows in it. */
  #staging: string | undefined
  #staged = false
  #copied = false
  /** A batch is sent in pieces, to find its bad rows. */
  #inPieces = false

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

  /** How many rows changed nothing, of those whose sender was closed. */
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
    if (byInsert.length > 0) {
      await (await this.#senderFor('insert')).send(byInsert.map(this.#asObjects), this.#signal)
    }
    this.#format.batchDone()
    this.#count += countOf(groups)
  }

  /** INSERT takes values, and no lines of a file. */
  readonly #asObjects = (group: RowGroup): RowGroup => {
    const { recordKeys, objectOf } = this.#plan
    return recordKeys ? { ...group, rows: group.rows.map(objectOf) } : group
  }

  /** @throws PgBatchError when the table has changed, which may be why rows were refused */
  async checkTypes(): Promise<void> {
    const { copyFormat, columns, shapes, sameTypes, table } = this.#plan
    if (copyFormat === 'text' || columns.length === 0) return
    const { rows } = await this.#transaction.query(sameTypes(shapes.whole))
    if (rows[0]!.pg_batch_same === 'false') throw tableChanged(table)
  }

  /** Makes the staging table that all batches share where each is merged by itself. */
  async shareStaging(): Promise<void> {
    if (this.#shared || !this.#isUpsert() || this.#method === 'insert') return
    this.#shared = await createStaging(this.#transaction, this.#plan)
    this.#staging = this.#shared
  }

  /**
   * Prepares for a batch in pieces; `beforePiece` then begins each one. Upserts share a staging table that
   * was created before the savepoints of the pieces. A table for each piece would cost milliseconds, and a
   * lock until the transaction ends, of which the server has a few thousand in total.
   */
  async beginPieces(groups: PreparedBatch['groups']): Promise<void> {
    this.#inPieces = true
    this.#unchangedAtFirst = this.#unchanged
    if (this.#shared || !this.#isUpsert() || this.#upsertMethod(groups) === 'insert') return
    this.#staging = await createStaging(this.#transaction, this.#plan)
  }

  /** Sets a savepoint, if any, before the piece that is sent next. */
  beforePiece(savepoint?: string): void {
    // cheap, because TRUNCATE works in place in the subtransaction that has created the table
    if (this.#staging && this.#staged) this.#transaction.before(clearStagingStatement(this.#staging))
    this.#staged = false
    this.#unchangedBefore = this.#unchanged
    if (savepoint) this.#transaction.before(savepoint)
  }

  /** Undoes all pieces since `beginPieces` by a statement that rolls back to a point before it. */
  undoPieces(rollback: string): void {
    this.#unchanged = this.#unchangedAtFirst
    this.#staging = this.#shared
    this.#staged = this.#shared !== undefined
    this.#transaction.before(rollback)
  }

  /** Counts rows that turned out to change nothing after they were sent. */
  addUnchanged(count: number): void {
    this.#unchanged += count
  }

  /**
   * Resolves when the server has written every row in this transaction.
   * @param commits nothing but COMMIT follows: it may travel behind the rows
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

  async #senderFor(method: 'copy' | 'insert'): Promise<RowSender> {
    const sender = this.#sender
    if (sender && sender.method !== method) {
      // one merge of all rows locks them in the order of their keys
      const waiting = sender instanceof UpsertSender ? sender.takeWaiting() : []
      await this.close()
      this.#sender = this.#makeSender(method)
      for (const groups of waiting) await this.#sender.send(groups, this.#signal)
    }
    this.#sender ??= this.#makeSender(method)
    if (method === 'copy') this.#copied = true
    return this.#sender
  }

  /** Chooses the method of an upsert for a whole batch: its shapes share one statement with either method. */
  #upsertMethod(groups: PreparedBatch['groups']): 'copy' | 'insert' {
    if (this.#method !== 'auto') return this.#method
    if (this.#sender?.method === 'copy') return 'copy'
    // rows may refer to rows of other batches: one merge takes all, INSERT has a statement for each batch
    if (this.#inPieces && this.#plan.selfReferences.length > 0) return 'copy'
    const count = countOf(groups)
    const hasFewOfEach = count < groups.length * UPSERT_BY_COPY_FROM_ROWS_OF_A_SHAPE
    if (groups.length > MAX_SHAPES_OF_A_TURN && hasFewOfEach) return 'insert'
    // small batches that are ready one after another share one merge
    return this.#count + count >= UPSERT_BY_COPY_FROM_ROWS ? 'copy' : 'insert'
  }

  /** Returns the groups that go by COPY, and those that go by INSERT. COPY has no syntax for no columns. */
  #byMethod(groups: PreparedBatch['groups']): [RowGroup[], RowGroup[]] {
    const method = this.#method
    const { conflict, replacement, selfReferences, mixesShapes } = this.#plan
    // rows may refer to rows of another shape, and the check of foreign keys at the end of each COPY would be
    // too early
    if (!conflict && !replacement && selfReferences.length > 0) {
      if (mixesShapes === 'always' && method !== 'insert') return [[this.#mixed(groups)], []]
      if (groups.length > 1) return this.#mixedByMethod(groups)
    }
    if (conflict) return this.#upsertMethod(groups) === 'copy' ? [[...groups], []] : [[], [...groups]]
    const takesAll = groups.length === 1 || (method === 'copy' && groups.length <= MAX_SHAPES_BY_COPY)
    const suitsCopy = ({ shape, rows }: RowGroup): boolean =>
      method !== 'insert' && shape.columns.length > 0 && (takesAll || rows.length >= MIXED_COPY_FROM_ROWS)
    const [mixed, byInsert] = this.#mixedByMethod(groups.filter(group => !suitsCopy(group)))
    return [[...groups.filter(suitsCopy), ...mixed], byInsert]
  }

  /** Returns groups that share a COPY, where that is possible and worth its round trip, or share INSERTs. */
  #mixedByMethod(groups: readonly RowGroup[]): [RowGroup[], RowGroup[]] {
    const isWorthIt = groups.length > 1 && countOf(groups) >= MIXED_COPY_FROM_ROWS
    const mixes = isWorthIt && this.#method !== 'insert' && this.#plan.mixesShapes !== 'never'
    return mixes ? [[this.#mixed(groups)], []] : [[], [...groups]]
  }

  #mixed(groups: readonly RowGroup[]): RowGroup {
    // bytes of an earlier attempt are mixed already
    return groups[0]!.encoded ? groups[0]! : mixedGroup(groups, this.#plan.shapes.mixed)
  }

  #makeSender(method: 'copy' | 'insert'): RowSender {
    if (this.#plan.rowResults?.by === 'row by row') {
      // an error of one statement for many rows names no row, so that pieces go row by row
      const mayMerge = this.#plan.rowResults.mayMerge && !this.#inPieces
      return mayMerge
        ? new MergeReturningSender(this.#transaction, this.#plan, this.results, this.#slabs)
        : new RowByRowSender(this.#transaction, this.#plan, this.results, this.#memoryForKeys())
    }
    const { replacement } = this.#plan
    const staging = replacement && REPLACEMENT
    const upsert = this.#isUpsert()
    if (method === 'copy') this.#staged = true
    if (method === 'insert' && upsert) {
      return new UpsertSender(this.#transaction, this.#plan, this.#slabs)
    }
    if (method === 'insert') {
      const into = staging && { table: staging, firstOrdinal: 0 }
      return new InsertSender(this.#transaction, this.#plan, into)
    }
    return upsert
      ? new StagingSender(this.#transaction, this.#plan, this.#format, this.#staging, this.#slabs)
      : new CopySender(this.#transaction, this.#plan, this.#format, {
          ...(staging ? { staging } : {}),
          canReleaseItems: this.#canReleaseItems,
          slabs: this.#slabs,
        })
  }

  /** Pieces keep their own order: where a value of a key is bad, it is to be found in its own row. */
  #memoryForKeys(): ByteBuffer | undefined {
    return this.#plan.conflict && !this.#inPieces ? new ByteBuffer(this.#slabs) : undefined
  }

  /** Without a catalogue, InsertSender writes upserts, too. */
  #isUpsert(): boolean {
    return this.#plan.merge !== undefined && !this.#plan.replacement
  }
}

function countOf(groups: PreparedBatch['groups']): number {
  return groups.reduce((total, { rows }) => total + rows.length, 0)
}
