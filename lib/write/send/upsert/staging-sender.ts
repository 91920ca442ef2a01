import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'
import { clearStagingStatement, createStagingStatement } from '../../../table/merge/merge-source.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { type RowRef, type RowSender, unchangedOf } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'
import { runsInOrder } from '../../rows/rows-in-order.ts'
import { CopySender } from '../copy/copy-sender.ts'
import { mergeStaged } from './merge-staged.ts'

let stagingTables = 0

/** Creates a staging table that lasts until the transaction ends; resolves to its name. */
export async function createStaging(transaction: Transaction, plan: TablePlan): Promise<string> {
  const name = prepareStaging(transaction, plan)
  await transaction.begin()
  return name
}

/** The same without its own round trip: the statement is sent together with the next one. */
function prepareStaging(transaction: Transaction, plan: TablePlan): string {
  // temporary tables are in the session's own schema; the number distinguishes those of one transaction
  const name = `pg_batch_staging_${++stagingTables}`
  transaction.before(createStagingStatement(name, plan.merge!))
  return name
}

/**
 * Upserts by COPY: rows go into a staging table, and one merge moves them into the target. The staging table
 * is created in the transaction and dropped at its end, so that this works behind a pooler in transaction
 * mode.
 */
export class StagingSender implements RowSender {
  readonly method = 'copy'
  unchanged = 0
  #mergedBytes = 0
  #rows = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #shapes = new Set<RowShape>()
  readonly #slabs: SlabLease
  #staging: string | undefined
  #copy: CopySender | undefined

  /** @param staging an empty staging table; if undefined, one is created with the first rows */
  constructor(transaction: Transaction, plan: TablePlan, staging: string | undefined, slabs: SlabLease) {
    this.#slabs = slabs
    this.#transaction = transaction
    this.#plan = plan
    this.#staging = staging
  }

  get bytes(): number {
    return this.#mergedBytes + (this.#copy?.bytes ?? 0)
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    if (this.#plan.merge!.numbered) return this.#stage(groups, signal)
    for (const run of runsInOrder(groups)) {
      if (this.#shapes.size > 0 && !this.#shapes.has(run.shape)) await this.#mergeShape()
      await this.#stage([run], signal)
    }
  }

  /** Merges the rows so far, so that the table can take those of another shape. */
  async #mergeShape(): Promise<void> {
    await this.close()
    this.#mergedBytes = this.bytes
    this.#copy = undefined
    this.#shapes.clear()
    this.#rows = 0
    this.#transaction.before(clearStagingStatement(this.#staging!))
  }

  async #stage(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    this.#staging ??= prepareStaging(this.#transaction, this.#plan)
    this.#copy ??= new CopySender(this.#transaction, this.#plan, {
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

  locate(error: unknown): RowRef | undefined {
    return this.#copy?.locate(error)
  }
}
