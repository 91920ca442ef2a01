import type { Transaction } from '../connection/transaction.ts'
import { createStagingStatement, mergeStatement } from '../table/upsert.ts'
import type { RowGroup } from './batch.ts'
import type { CopyFormatChoice } from './copy-format.ts'
import { CopySender } from './copy-sender.ts'
import type { RowShape, WritePlan } from './plan.ts'
import type { RowPlace, RowSender } from './row-sender.ts'

let stagingTables = 0

/**
 * Upserts by COPY: rows go into a staging table, and one merge moves them into the target. The staging table is
 * made in the transaction and dropped at its end, so that a pooler in transaction mode does not mind.
 */
export class StagingSender implements RowSender {
  readonly method = 'copy'
  readonly #transaction: Transaction
  readonly #plan: WritePlan<never>
  readonly #staging: string
  readonly #copy: CopySender
  readonly #shapes = new Set<RowShape>()
  #created = false

  constructor(transaction: Transaction, plan: WritePlan<never>, format: CopyFormatChoice) {
    this.#transaction = transaction
    this.#plan = plan
    // temporary names live in the session's own schema; the number keeps two of one transaction apart
    this.#staging = `pg_batch_staging_${++stagingTables}`
    this.#copy = new CopySender(transaction, plan, format, { schema: 'pg_temp', name: this.#staging })
  }

  get bytes(): number {
    return this.#copy.bytes
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const { columns, table } = this.#plan
    if (!this.#created) {
      const names = columns.map(column => column.name)
      await this.#transaction.query(createStagingStatement(this.#staging, table, names))
      this.#created = true
    }
    for (const { shape } of groups) this.#shapes.add(shape)
    await this.#copy.send(groups, signal)
  }

  async close(): Promise<void> {
    if (!this.#created) return
    await this.#copy.close()
    const { table, mergeColumns, conflict } = this.#plan
    const shapes = [...this.#shapes].map(shape => this.#plan.mergeShape(shape))
    await this.#transaction.query(mergeStatement(this.#staging, table, mergeColumns, shapes, conflict!))
  }

  abort(): Promise<void> {
    return this.#copy.abort()
  }

  locate(error: unknown): RowPlace | undefined {
    return this.#copy.locate(error)
  }
}
