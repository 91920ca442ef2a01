import type { Transaction } from '../connection/transaction.ts'
import { type PreparedBatch, type RowGroup, runsInOrder } from './batch.ts'
import type { CopyFormatChoice } from './copy-format.ts'
import { CopySender } from './copy-sender.ts'
import { InsertSender } from './insert-sender.ts'
import type { WritePlan } from './plan.ts'
import type { RowPlace, RowSender } from './row-sender.ts'
import { StagingSender } from './staging-sender.ts'

/** Rows of one shape from which COPY beats INSERT; see bench/write-grid. */
const COPY_FROM_ROWS = 50

/**
 * Sends rows in one transaction, by the method that suits each group of them; a method stays in use for as long as
 * the groups allow, so that one COPY takes many batches.
 */
export class RowsInTransaction {
  readonly #transaction: Transaction
  readonly #plan: WritePlan<never>
  readonly #format: CopyFormatChoice
  readonly #signal: AbortSignal
  #sender: RowSender | undefined
  /** The sender that was aborted last: it still knows which rows it had sent. */
  #failed: RowSender | undefined
  #closedBytes = 0
  #copied = false

  constructor(
    transaction: Transaction,
    plan: WritePlan<never>,
    format: CopyFormatChoice,
    signal: AbortSignal,
  ) {
    this.#transaction = transaction
    this.#plan = plan
    this.#format = format
    this.#signal = signal
  }

  get bytes(): number {
    return this.#closedBytes + (this.#sender?.bytes ?? 0)
  }

  get method(): 'copy' | 'insert' {
    return this.#copied ? 'copy' : 'insert'
  }

  async send(groups: PreparedBatch['groups']): Promise<void> {
    for (const group of this.#inSendingOrder(groups)) {
      const sender = await this.#senderFor(group, groups.length)
      await sender.send(group, this.#signal)
    }
    this.#format.batchDone()
  }

  /** Resolves when all rows are in the table, as far as the transaction goes. */
  async close(): Promise<void> {
    if (!this.#sender) return
    await this.#sender.close()
    this.#closedBytes += this.#sender.bytes
    this.#sender = undefined
  }

  /** Leaves the connection ready for ROLLBACK, and begins anew. */
  async abort(): Promise<void> {
    const sender = this.#sender
    this.#sender = undefined
    this.#failed = sender
    await sender?.abort()
  }

  /** The row that an error names, if it names one. */
  locate(error: unknown): RowPlace | undefined {
    return (this.#sender ?? this.#failed)?.locate(error)
  }

  /** An INSERT dedupes the rows of one statement only, so an upsert's rows keep their order across shapes. */
  #inSendingOrder(groups: PreparedBatch['groups']): readonly RowGroup[] {
    return this.#plan.conflict && this.#plan.method === 'insert' && groups.length > 1
      ? runsInOrder(groups)
      : groups
  }

  async #senderFor(group: RowGroup, groupCount: number): Promise<RowSender> {
    const wanted = this.#methodFor(group, groupCount)
    if (this.#sender && this.#sender.method !== wanted) await this.close()
    this.#sender ??= this.#makeSender(wanted)
    if (wanted === 'copy') this.#copied = true
    return this.#sender
  }

  #methodFor(group: RowGroup, groupCount: number): 'copy' | 'insert' {
    const { method, conflict } = this.#plan
    // a COPY of no columns cannot be said
    if (method === 'insert' || group.shape.columns.length === 0) return 'insert'
    if (method === 'copy' || this.#sender?.method === 'copy') return 'copy'
    return group.rows.length >= COPY_FROM_ROWS || (conflict && groupCount > 1) ? 'copy' : 'insert'
  }

  #makeSender(method: 'copy' | 'insert'): RowSender {
    if (method === 'insert') return new InsertSender(this.#transaction, this.#plan)
    return this.#plan.conflict
      ? new StagingSender(this.#transaction, this.#plan, this.#format)
      : new CopySender(this.#transaction, this.#plan, this.#format)
  }
}
