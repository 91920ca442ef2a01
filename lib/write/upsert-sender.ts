import { isServerError } from '../connection/server-error.ts'
import type { Transaction } from '../connection/transaction.ts'
import { MAX_PARAMETERS } from '../table/statements.ts'
import { upsertStatement, writtenColumns } from '../table/upsert.ts'
import { type RowGroup, runsInOrder } from './batch.ts'
import { parameterOf } from './parameter-of.ts'
import type { TablePlan } from './plan.ts'
import type { PlannedColumn } from './planned-columns.ts'
import { type RowPlace, type RowSender, unchangedOf } from './row-sender.ts'

/**
 * Upserts a batch by one INSERT with parameters, rows of all shapes together. A batch of more parameters than the
 * protocol counts takes several; the last row of a key then wins in each of them.
 */
export class UpsertSender implements RowSender {
  readonly method = 'insert'
  bytes = 0
  unchanged = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  #alone: RowPlace | undefined

  constructor(transaction: Transaction, plan: TablePlan) {
    this.#transaction = transaction
    this.#plan = plan
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const rows = runsInOrder(groups).flatMap(run => run.rows.map((_, index) => ({ group: run, index })))
    const width = Math.max(1, this.#plan.columns.length)
    const perStatement = Math.floor(MAX_PARAMETERS / width)
    for (let from = 0; from < rows.length; from += perStatement) {
      signal.throwIfAborted()
      await this.#upsert(rows.slice(from, from + perStatement))
    }
  }

  async #upsert(places: readonly RowPlace[]): Promise<void> {
    const { table, mergeColumns, conflict } = this.#plan
    const shapes = [...new Set(places.map(({ group }) => group.shape))].map(shape =>
      this.#plan.mergeShape(shape),
    )
    const written = new Set(writtenColumns(mergeColumns, shapes, conflict!).map(column => column.name))
    const parameters: unknown[] = []
    for (const { group, index } of places) {
      for (const column of this.#columnsOf(group)) {
        if (written.has(column.name)) parameters.push(this.#parameter(column, group, index))
      }
    }
    const shapeOfRow = places.map(({ group }) => group.shape.number)
    this.#alone = places.length === 1 ? places[0] : undefined
    const { rowCount } = await this.#transaction.query(
      upsertStatement(table, mergeColumns, shapes, shapeOfRow, conflict!),
      parameters,
    )
    if (conflict!.action === 'nothing') this.unchanged += unchangedOf(places.length, rowCount)
    this.#alone = undefined
  }

  #columnsOf(group: RowGroup): PlannedColumn[] {
    return group.shape.columns.map(index => this.#plan.columns[index]!)
  }

  #parameter(column: PlannedColumn, group: RowGroup, index: number): unknown {
    const parameter = parameterOf(column, group, index)
    this.bytes += parameter?.length ?? 0
    return parameter
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}

  locate(error: unknown): RowPlace | undefined {
    return isServerError(error) && this.#alone ? { ...this.#alone, column: error.column } : undefined
  }
}
