import type { Transaction } from '../connection/transaction.ts'
import { createStagingStatement, mergeStatements, type Shape } from '../table/statements.ts'
import type { RowGroup } from './batch.ts'
import type { CopyFormatChoice } from './copy-format.ts'
import { CopySender } from './copy-sender.ts'
import type { WritePlan } from './plan.ts'
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
  readonly #shapes = new Map<number, Shape>()
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

  async send(group: RowGroup, signal: AbortSignal): Promise<void> {
    const { columns, table } = this.#plan
    if (!this.#created) {
      const names = columns.map(column => column.name)
      await this.#transaction.query(createStagingStatement(this.#staging, table, names))
      this.#created = true
    }
    if (!this.#shapes.has(group.shape.number)) {
      const names = group.shape.columns.map(index => columns[index]!.name)
      this.#shapes.set(group.shape.number, { number: group.shape.number, columns: names })
    }
    await this.#copy.send(group, signal)
  }

  async close(): Promise<void> {
    if (!this.#created) return
    await this.#copy.close()
    const { table, conflict } = this.#plan
    const merge = mergeStatements(this.#staging, table, [...this.#shapes.values()], conflict!)
    await this.#transaction.query(merge.join('; '))
  }

  abort(): Promise<void> {
    return this.#copy.abort()
  }

  locate(error: unknown): RowPlace | undefined {
    return this.#copy.locate(error)
  }
}
