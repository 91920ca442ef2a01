import type { Transaction } from '../connection/transaction.ts'
import type { SlabLease } from '../encode/slabs.ts'
import { createStagingStatement } from '../table/merge-source.ts'
import type { RowGroup } from './batch.ts'
import type { CopyFormatChoice } from './copy-format.ts'
import { CopySender } from './copy-sender.ts'
import { mergeStaged } from './merge-staged.ts'
import type { TablePlan } from './plan.ts'
import { type RowPlace, type RowSender, unchangedOf } from './row-sender.ts'
import type { RowShape } from './row-shapes.ts'

let stagingTables = 0

/** Makes a staging table that lasts until the transaction ends; resolves to its name. */
export async function createStaging(transaction: Transaction, plan: TablePlan): Promise<string> {
  const name = prepareStaging(transaction, plan)
  await transaction.begin()
  return name
}

/** The same without a round trip of its own: the table is made in front of the next statement. */
function prepareStaging(transaction: Transaction, plan: TablePlan): string {
  // temporary names live in the session's own schema; the number keeps two of one transaction apart
  const name = `pg_batch_staging_${++stagingTables}`
  const columns = plan.columns.map(column => column.name)
  transaction.before(createStagingStatement(name, plan.table, columns, plan.merge!.names))
  return name
}

/**
 * Upserts by COPY: rows go into a staging table, and one merge moves them into the target. The staging table is
 * made in the transaction and dropped at its end, so that a pooler in transaction mode does not mind.
 */
export class StagingSender implements RowSender {
  readonly method = 'copy'
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #format: CopyFormatChoice
  readonly #shapes = new Set<RowShape>()
  readonly #slabs: SlabLease
  #staging: string | undefined
  #copy: CopySender | undefined

  /** @param staging an empty staging table; left out, one is made with the first rows */
  constructor(
    transaction: Transaction,
    plan: TablePlan,
    format: CopyFormatChoice,
    staging: string | undefined,
    slabs: SlabLease,
  ) {
    this.#slabs = slabs
    this.#transaction = transaction
    this.#plan = plan
    this.#format = format
    this.#staging = staging
  }

  unchanged = 0
  #rows = 0

  get bytes(): number {
    return this.#copy?.bytes ?? 0
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    this.#staging ??= prepareStaging(this.#transaction, this.#plan)
    this.#copy ??= new CopySender(this.#transaction, this.#plan, this.#format, {
      staging: { schema: 'pg_temp', name: this.#staging },
      slabs: this.#slabs,
    })
    for (const { shape, rows } of groups) {
      this.#shapes.add(shape)
      this.#rows += rows.length
    }
    await this.#copy.send(groups, signal)
  }

  async close(): Promise<void> {
    if (!this.#staging || !this.#copy) return
    await this.#copy.close()
    const shapes = [...this.#shapes].map(shape => this.#plan.mergeShape(shape))
    const staged = { staging: this.#staging, shapes, count: this.#rows }
    const changed = await mergeStaged(this.#transaction, this.#plan.merge!, staged)
    this.unchanged += unchangedOf(this.#rows, changed)
  }

  async abort(): Promise<void> {
    await this.#copy?.abort()
  }

  locate(error: unknown): RowPlace | undefined {
    return this.#copy?.locate(error)
  }
}
