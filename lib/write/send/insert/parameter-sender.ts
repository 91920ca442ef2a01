import type { BoundValue } from '../../../connection/bound-rows.ts'
import { columnOf, isServerError, refusedParameter } from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { type RowRef, type RowSender, unchangedOf } from '../../rows/row-sender.ts'
import type { Parameters } from './parameters.ts'

/** A statement that writes rows, with their values. */
export interface RowStatement {
  readonly text: string
  readonly parameters: Parameters
  /** How many rows it writes. */
  readonly count: number
  /** The row, where it writes only one: an error of the statement is then an error of that row. */
  readonly only: RowRef | undefined
  /** The columns of the parameters. Those of several rows repeat them. */
  readonly columns: readonly string[]
  /** Returns the row of a parameter, by its index, where no row shares a parameter with another one. */
  readonly rowOf?: (parameter: number) => RowRef
}

/** Returns the row of a list that holds no other. */
export function onlyOf(rows: readonly RowRef[]): RowRef | undefined {
  return rows.length === 1 ? rows[0] : undefined
}

/**
 * The base of senders that write rows by statements with parameters: it runs them, counts, and locates
 * errors.
 */
export abstract class ParameterSender implements RowSender {
  readonly method = 'insert'
  unchanged = 0
  protected sentBytes = 0
  protected readonly transaction: Transaction
  protected readonly plan: TablePlan
  /** The statement that runs or has failed. */
  #statement: RowStatement | undefined

  constructor(transaction: Transaction, plan: TablePlan) {
    this.transaction = transaction
    this.plan = plan
  }

  get bytes(): number {
    return this.sentBytes
  }

  abstract send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void>

  /** Runs a statement whose command tag counts the rows that it has changed. */
  protected async execute(statement: RowStatement): Promise<void> {
    const { rowCount } = await this.query(statement)
    this.count(statement.count, rowCount)
  }

  /** Runs a statement; the caller counts the rows that it has changed. */
  protected async query(statement: RowStatement): ReturnType<Transaction['query']> {
    const { text, parameters } = statement
    this.sentBytes += parameters.length
    this.#statement = statement
    const result = await this.transaction.query(text, parameters.values)
    this.#statement = undefined
    return result
  }

  /** Runs the last statement and commits, in one round trip where that is possible. */
  protected async executeAndCommit(statement: RowStatement): Promise<void> {
    const { text, parameters, count } = statement
    await this.transaction.begin() // the transaction's id is known then
    if (!this.transaction.mayCommitBehind(parameters.length)) return this.execute(statement)
    this.sentBytes += parameters.length
    this.#statement = statement
    this.count(count, await this.transaction.runAndCommit(text, parameters.values as BoundValue[]))
    this.#statement = undefined
  }

  protected count(sent: number, changed: number | null | undefined): void {
    this.unchanged += unchangedOf(sent, changed)
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}

  locate(error: unknown): RowRef | undefined {
    if (!isServerError(error) || !this.#statement) return undefined
    const { only, rowOf } = this.#statement
    const parameter = refusedParameter(error)
    const row = only ?? (parameter === undefined ? undefined : rowOf?.(parameter))
    return row && { ...row, column: this.columnOf(error) }
  }

  columnOf(error: unknown): string | undefined {
    if (!isServerError(error) || !this.#statement) return undefined
    const { columns } = this.#statement
    const parameter = refusedParameter(error)
    return columnOf(error) ?? (parameter === undefined ? undefined : columns[parameter % columns.length])
  }
}
