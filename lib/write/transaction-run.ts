import { Lease, type StopSignals, unlessAborted } from '../connection/lease.ts'
import type { PgClientLike, PgPoolLike } from '../connection/pg-types.ts'
import { Transaction } from '../connection/transaction.ts'
import { PgBatchError } from '../errors.ts'
import { type Batch, type PreparedBatch, prepareBatch, type RowGroup, runsInOrder } from './batch.ts'
import type { CopyFormatChoice } from './copy-format.ts'
import { CopySender } from './copy-sender.ts'
import { CallbackError, outcomeOf, toPgBatchError } from './failure.ts'
import { InsertSender } from './insert-sender.ts'
import type { WritePlan } from './plan.ts'
import type { RowSender } from './row-sender.ts'
import { StagingSender } from './staging-sender.ts'

/** Rows of one shape from which COPY beats INSERT; see bench/write-grid. */
const COPY_FROM_ROWS = 50

/** What every transaction of a stream is run with. */
export interface RunContext<Item> {
  readonly pool: PgPoolLike
  readonly plan: WritePlan<Item>
  readonly format: CopyFormatChoice
  readonly inTransaction: ((client: PgClientLike, batch: readonly Item[]) => Promise<void> | void) | undefined
  readonly signals: StopSignals
}

/** What a transaction committed. */
export interface Committed<Item> {
  readonly batches: readonly Batch<Item>[]
  readonly rows: number
  readonly skipped: number
  readonly bytes: number
  readonly method: 'copy' | 'insert'
  readonly durationMs: number
}

/**
 * One transaction under way, from its first batch to COMMIT or ROLLBACK. Used once: `add` for each batch, then
 * `commit`; after an error `rollback` and `explain`; `release` in every case.
 */
export class TransactionRun<Item> {
  readonly batches: Batch<Item>[] = []
  rows = 0
  readonly #context: RunContext<Item>
  readonly #started = performance.now()
  #lease: Lease | undefined
  #transaction: Transaction | undefined
  #sender: RowSender | undefined
  #sentBytes = 0
  #skipped = 0
  #method: 'copy' | 'insert' = 'insert'

  constructor(context: RunContext<Item>) {
    this.#context = context
  }

  get bytes(): number {
    return this.#sentBytes + (this.#sender?.bytes ?? 0)
  }

  get ageMs(): number {
    return performance.now() - this.#started
  }

  async add(batch: Batch<Item>): Promise<void> {
    const { pool, plan, signals, format } = this.#context
    this.batches.push(batch)
    const prepared = prepareBatch(batch, plan)
    this.#lease ??= await Lease.take(pool, signals)
    this.#transaction ??= new Transaction(this.#lease)
    for (const group of this.#inSendingOrder(prepared)) {
      const sender = await this.#senderFor(group, prepared)
      await sender.send(group, signals.stop)
    }
    format.batchDone()
    this.rows += prepared.rowCount
    this.#skipped += prepared.skippedCount
  }

  async commit(): Promise<Committed<Item>> {
    await this.#closeSender()
    await this.#callInTransaction()
    this.#context.signals.stop.throwIfAborted()
    await this.#transaction!.commit()
    return {
      batches: this.batches,
      rows: this.rows,
      skipped: this.#skipped,
      bytes: this.bytes,
      method: this.#method,
      durationMs: this.ageMs,
    }
  }

  /** Never throws: what cannot be rolled back politely ends with its connection. */
  async rollback(): Promise<void> {
    await this.#sender?.abort()
    await this.#transaction?.rollback()
  }

  release(): void {
    this.#lease?.release()
  }

  /** Says what `error` did to the rows; called after `rollback`, while the senders still know their rows. */
  explain(error: unknown): PgBatchError {
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
    if (!this.#lease) return toPgBatchError(error, 'not-sent', only, 'connect')
    return toPgBatchError(error, outcome, this.#sender?.locate(error) ?? only, 'write')
  }

  async #callInTransaction(): Promise<void> {
    const { inTransaction, signals } = this.#context
    if (!inTransaction) return
    await this.#transaction!.begin()
    for (const { items } of this.batches) {
      try {
        await unlessAborted(Promise.resolve(inTransaction(this.#lease!.client, items)), signals.kill)
      } catch (cause) {
        throw new CallbackError('inTransaction', cause)
      }
    }
  }

  /** An INSERT dedupes the rows of one statement only, so an upsert's rows keep their order across shapes. */
  #inSendingOrder(prepared: PreparedBatch): readonly RowGroup[] {
    const { plan } = this.#context
    const ordered = plan.conflict && plan.method === 'insert' && prepared.groups.length > 1
    return ordered ? runsInOrder(prepared.groups) : prepared.groups
  }

  async #senderFor(group: RowGroup, prepared: PreparedBatch): Promise<RowSender> {
    const wanted = this.#methodFor(group, prepared)
    if (this.#sender && this.#sender.method !== wanted) await this.#closeSender()
    this.#sender ??= this.#makeSender(wanted)
    if (wanted === 'copy') this.#method = 'copy'
    return this.#sender
  }

  #methodFor(group: RowGroup, prepared: PreparedBatch): 'copy' | 'insert' {
    const { plan } = this.#context
    // a COPY of no columns cannot be said
    if (plan.method === 'insert' || group.shape.columns.length === 0) return 'insert'
    if (plan.method === 'copy' || this.#sender?.method === 'copy') return 'copy'
    const severalShapes = plan.conflict !== undefined && prepared.groups.length > 1
    return group.rows.length >= COPY_FROM_ROWS || severalShapes ? 'copy' : 'insert'
  }

  #makeSender(method: 'copy' | 'insert'): RowSender {
    const { format } = this.#context
    const plan = this.#context.plan as WritePlan<never>
    const transaction = this.#transaction!
    if (method === 'insert') return new InsertSender(transaction, plan)
    return plan.conflict
      ? new StagingSender(transaction, plan, format)
      : new CopySender(transaction, plan, format)
  }

  async #closeSender(): Promise<void> {
    if (!this.#sender) return
    await this.#sender.close()
    this.#sentBytes += this.#sender.bytes
    this.#sender = undefined
  }
}
