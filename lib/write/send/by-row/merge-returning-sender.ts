import type { BoundValue, RowAnswer } from '../../../connection/bound-rows.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'
import { mergeRows } from '../../../table/row-statements.ts'
import { mergeColumn } from '../../plan/merge-plan.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import type { RowResults } from '../../rows/row-results.ts'
import type { RowRef } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'
import { arrayParameters, NotTogether } from '../insert/array-parameters.ts'
import { returnedRow } from './returned-row.ts'
import { RowByRowSender } from './row-by-row-sender.ts'

const MAX_ROWS = 1000

/** A statement for many rows has to save more than its own parsing costs. */
const MIN_ROWS = 5

/**
 * Inserts rows of one shape by MERGE, and notes what each row did. Three times as fast as a statement for
 * each row. Rows of several shapes, and those whose values cannot share a statement, get one each.
 */
export class MergeReturningSender extends RowByRowSender {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #results: RowResults
  readonly #arrays: ByteBuffer

  constructor(transaction: Transaction, plan: TablePlan, results: RowResults, slabs: SlabLease) {
    super(transaction, plan, results)
    this.#transaction = transaction
    this.#plan = plan
    this.#results = results
    this.#arrays = new ByteBuffer(slabs)
  }

  override async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const [group] = groups
    const suits = groups.length === 1 && group!.shape.columns.length > 0 && group!.rows.length >= MIN_ROWS
    if (!suits) return super.send(groups, signal)
    const refs = Array.from({ length: group!.rows.length }, (_, index): RowRef => ({ group: group!, index }))
    for (let from = 0; from < refs.length; from += MAX_ROWS) {
      signal.throwIfAborted()
      const part = refs.slice(from, from + MAX_ROWS)
      if (!(await this.#merge(group!.shape, part))) await this.sendRows(part, signal)
    }
  }

  /** Sends rows by one statement. Resolves to false if their values cannot share one. */
  async #merge(shape: RowShape, refs: readonly RowRef[]): Promise<boolean> {
    const { columns, rowResults, table } = this.#plan
    const merged = shape.columns.map(index => mergeColumn(columns[index]!.known!.column))
    const parameters = unlessNotTogether(() => arrayParameters(refs, merged, columns, this.#arrays))
    if (!parameters) return false
    this.bytes += parameters.length
    const text = mergeRows(table, merged, rowResults!.returning)
    const rows = await this.#transaction.openRows([
      { text, rows: [parameters.values as BoundValue[]], returns: true },
    ])
    await this.#transaction.answers.statement(rows.settled)
    this.#note(refs, rows.answers[0]!)
    return true
  }

  #note(refs: readonly RowRef[], { columns, rows }: RowAnswer): void {
    const returned = columns.slice(0, -1)
    const { client } = this.#transaction.lease
    const byOrdinal = new Map(rows.map(values => [Number(values.at(-1)), values]))
    for (const [index, ref] of refs.entries()) {
      const values = byOrdinal.get(index + 1)
      if (!values) this.unchanged++
      const row = values && returnedRow(client, ref, returned, values)
      this.#results.set(ref.group, ref.index, { action: values ? 'inserted' : 'unchanged', row })
    }
  }
}

function unlessNotTogether<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof NotTogether) return undefined
    throw error
  }
}
