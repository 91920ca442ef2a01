import type { BoundRows, BoundStatement, BoundValue, RowAnswer } from '../../../connection/bound-rows.ts'
import { canCopy } from '../../../connection/pool/driver-modes.ts'
import { columnOf, isServerError, refusedParameter } from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import {
  deleteRow,
  insertRow,
  type RowStatementText,
  updateRow,
  upsertRow,
  upsertRowReporting,
} from '../../../table/row-statements.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import { arrayIndexOfRow, type RowGroup } from '../../rows/batch.ts'
import type { RowResult, RowResults } from '../../rows/row-results.ts'
import type { RowRef, RowSender } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'
import { rowsInOrder } from '../../rows/rows-in-order.ts'
import { addParameters, type Parameters } from '../insert/parameters.ts'
import { inKeyOrder } from './key-order.ts'
import { returnedRow } from './returned-row.ts'

/** What travels before the next answer is waited for. More rows gain nothing, and cost memory. */
const MAX_IN_FLIGHT = Object.freeze({ rows: 1000, length: 4 * 1024 * 1024 })

/** Rows whose statements travel together, in one round trip. */
interface RoundTrip {
  readonly refs: RowRef[]
  readonly statements: { readonly made: RowStatementText; readonly text: string; rows: BoundValue[][] }[]
  length: number
}

/**
 * Sends each row by a statement of its own, many of them in a round trip, and notes what each row did if the
 * caller wants to know it. Slower than a statement for many rows, whose answers name no row.
 */
export class RowByRowSender implements RowSender {
  readonly method = 'insert'
  bytes = 0
  unchanged = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #results: RowResults | undefined
  readonly #keys: ByteBuffer | undefined
  readonly #texts = new Map<RowShape, RowStatementText>()
  /** The row that the server has refused. */
  #refused: RowRef | undefined

  /** @param keys memory to sort rows by their keys; without it `send` keeps their own order */
  constructor(transaction: Transaction, plan: TablePlan, results?: RowResults, keys?: ByteBuffer) {
    this.#transaction = transaction
    this.#plan = plan
    this.#results = results
    this.#keys = keys
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const rows = rowsInOrder(groups)
    const ordered = this.#keys ? await inKeyOrder(this.#transaction, this.#plan, rows, this.#keys) : rows
    await this.sendRows(ordered, signal)
  }

  /** Sends rows in this order. */
  async sendRows(refs: readonly RowRef[], signal: AbortSignal): Promise<void> {
    let trip = newRoundTrip()
    for (const ref of refs) {
      this.#addRow(trip, ref)
      if (trip.refs.length < MAX_IN_FLIGHT.rows && trip.length < MAX_IN_FLIGHT.length) continue
      await this.#send(trip, signal)
      trip = newRoundTrip()
    }
    if (trip.refs.length > 0) await this.#send(trip, signal)
  }

  /** Adds a row to a round trip. Rows of one shape that follow each other share a Parse. */
  #addRow(trip: RoundTrip, ref: RowRef): void {
    const { group, index } = ref
    const made = this.#statementFor(group.shape)
    const columns = group.shape.columns.map(column => this.#plan.columns[column]!)
    const parameters: Parameters = { values: [], length: 0 }
    addParameters(parameters, columns, group, index)
    if (made.reportsUpdate) parameters.values.push(`${group.batch.id}.${arrayIndexOfRow(group, index)}`)
    let statement = trip.statements.at(-1)
    if (statement?.made !== made) {
      statement = { made, text: made.text, rows: [] }
      trip.statements.push(statement)
    }
    statement.rows.push(parameters.values as BoundValue[])
    trip.refs.push(ref)
    trip.length += parameters.length
  }

  async #send(trip: RoundTrip, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.bytes += trip.length
    const answers = canCopy(this.#transaction.lease.client)
      ? await this.#pipeline(trip)
      : await this.#oneByOne(trip)
    for (const [index, ref] of trip.refs.entries()) this.#note(ref, answers[index]!)
  }

  async #pipeline({ refs, statements }: RoundTrip): Promise<readonly RowAnswer[]> {
    const bound = statements.map(
      ({ made, text, rows }): BoundStatement => ({ text, rows, returns: made.returns }),
    )
    let answered: BoundRows | undefined
    try {
      answered = await this.#transaction.openRows(bound)
      await this.#transaction.answers.statement(answered.settled)
      return answered.answers
    } catch (error) {
      if (answered && isServerError(error)) this.#refused = refs[answered.answers.length]
      throw error
    }
  }

  /** pg-native cannot send statements ahead of answers. The caller then wants no results, only counts. */
  async #oneByOne({ refs, statements }: RoundTrip): Promise<readonly RowAnswer[]> {
    const answers: RowAnswer[] = []
    for (const { text, rows } of statements) {
      for (const values of rows) {
        this.#refused = refs[answers.length]
        const { rowCount } = await this.#transaction.query(text, [...values])
        answers.push({ changed: rowCount ?? 1, columns: [], rows: [] })
      }
    }
    this.#refused = undefined
    return answers
  }

  #note(ref: RowRef, answer: RowAnswer): void {
    if (answer.changed === 0) this.unchanged++
    this.#results?.set(ref.group, ref.index, this.#resultOf(ref, answer))
  }

  #resultOf(ref: RowRef, { changed, columns, rows }: RowAnswer): RowResult {
    const [values] = rows
    const { action, reportsUpdate } = this.#statementFor(ref.group.shape)
    if (changed === 0) return { action: 'unchanged', row: undefined }
    const isUpdate = reportsUpdate && values?.at(-1) === 'f'
    const { returning } = this.#plan.rowResults!
    const { client } = this.#transaction.lease
    return {
      action: isUpdate ? 'updated' : action,
      row: values && returnedRow(client, ref, columns.slice(0, returning.length), values),
    }
  }

  #statementFor(shape: RowShape): RowStatementText {
    let made = this.#texts.get(shape)
    if (!made) {
      made = rowStatement(this.#plan, shape)
      this.#texts.set(shape, made)
    }
    return made
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}

  locate(error: unknown): RowRef | undefined {
    if (!isServerError(error) || !this.#refused) return undefined
    const { columns } = this.#refused.group.shape
    const column = columns[refusedParameter(error) ?? -1]
    const refused = column === undefined ? undefined : this.#plan.columns[column]!.name
    return { ...this.#refused, column: columnOf(error) ?? refused }
  }
}

function newRoundTrip(): RoundTrip {
  return { refs: [], statements: [], length: 0 }
}

/** Returns the statement that writes one row of a shape. */
export function rowStatement(
  { merge, mergeShape, rowResults, table }: TablePlan,
  shape: RowShape,
): RowStatementText {
  const returning = rowResults?.returning ?? []
  const named = mergeShape(shape)
  if (!merge) return insertRow(table, named.columns, returning)
  if (shape.deletes) return deleteRow(merge, named, returning)
  if (merge.conflict.updateOnly) return updateRow(merge, named, returning)
  return rowResults ? upsertRowReporting(merge, named, returning) : upsertRow(merge, named, returning)
}
