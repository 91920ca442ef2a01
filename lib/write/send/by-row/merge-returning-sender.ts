import type { BoundValue } from '../../../connection/bound-rows.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { mergeRows } from '../../../table/row-statements.ts'
import { MAX_PARAMETERS } from '../../../table/statements.ts'
import type { TablePlan } from '../../plan/plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import type { RowResults } from '../../rows/row-results.ts'
import { addParameters, type Parameters } from '../parameters.ts'
import { returnedRow } from './returned-row.ts'
import { RowByRowSender } from './row-by-row-sender.ts'

const MAX_ROWS = 1000

/** A statement for many rows has to save more than its own parsing costs. */
const MIN_ROWS = 5

/**
 * Inserts rows of one shape by MERGE, and notes what each row did. Twice as fast as a statement for each row.
 * Rows of several shapes get a statement each.
 */
export class MergeReturningSender extends RowByRowSender {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #results: RowResults
  /** The last text, by shape and number of rows. */
  #text = { key: '', text: '' }

  constructor(transaction: Transaction, plan: TablePlan, results: RowResults) {
    super(transaction, plan, results)
    this.#transaction = transaction
    this.#plan = plan
    this.#results = results
  }

  override async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const [group] = groups
    const width = group?.shape.columns.length ?? 0
    if (groups.length !== 1 || width === 0 || group!.rows.length < MIN_ROWS) return super.send(groups, signal)
    const perStatement = Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / width))
    for (let from = 0; from < group!.rows.length; ) {
      signal.throwIfAborted()
      from = await this.#merge(group!, from, Math.min(from + perStatement, group!.rows.length))
    }
  }

  /** Sends as many rows of a group as fit into one statement; resolves to the index of the next row. */
  async #merge(group: RowGroup, from: number, end: number): Promise<number> {
    const columns = group.shape.columns.map(index => this.#plan.columns[index]!)
    const parameters: Parameters = { values: [], length: 0 }
    let to = from
    while (to < end && addParameters(parameters, columns, group, to)) to++
    this.bytes += parameters.length
    const text = this.#textFor(group, to - from)
    const rows = await this.#transaction.openRows([
      { text, rows: [parameters.values as BoundValue[]], returns: true },
    ])
    await this.#transaction.answered(rows.settled)
    const [answer] = rows.answers
    const returned = answer!.columns.slice(0, -1)
    const { client } = this.#transaction.lease
    const byOrdinal = new Map(answer!.rows.map(values => [Number(values.at(-1)), values]))
    for (let index = from; index < to; index++) {
      const values = byOrdinal.get(index - from)
      if (!values) this.unchanged++
      const row = values && returnedRow(client, { group, index }, returned, values)
      this.#results.set(group, index, { action: values ? 'inserted' : 'unchanged', row })
    }
    return to
  }

  #textFor({ shape }: RowGroup, count: number): string {
    const key = `${shape.number} ${count}`
    if (this.#text.key !== key) {
      const { columns, rowResults, table } = this.#plan
      const typed = shape.columns.map(index => {
        const { name, known } = columns[index]!
        return { name, type: known!.column.type.sqlName }
      })
      this.#text = { key, text: mergeRows(table, typed, rowResults!.returning, count) }
    }
    return this.#text.text
  }
}
