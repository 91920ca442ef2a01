import { isServerError } from '../connection/server-error.ts'
import type { Transaction } from '../connection/transaction.ts'
import { insertStatement, MAX_PARAMETERS, upsertStatement } from '../table/statements.ts'
import type { RowGroup } from './batch.ts'
import type { PlannedColumn, WritePlan } from './plan.ts'
import { RowError, type RowPlace, type RowSender } from './row-sender.ts'

/** Rows in one statement at the most: beyond this a longer statement gains nothing, and costs the parser memory. */
const MAX_ROWS = 1000

/**
 * Sends rows by INSERT … VALUES with parameters, as many rows in a statement as the protocol's 65,535 parameters
 * allow. It needs no COPY, so that views, rules, row-level security and pg-mem can be written, too.
 */
export class InsertSender implements RowSender {
  readonly method = 'insert'
  bytes = 0
  readonly #transaction: Transaction
  readonly #plan: WritePlan<never>
  /** Statements by shape and number of rows: all but a batch's last one have the same text. */
  readonly #statements = new Map<string, string>()
  #alone: RowPlace | undefined

  constructor(transaction: Transaction, plan: WritePlan<never>) {
    this.#transaction = transaction
    this.#plan = plan
  }

  async send(group: RowGroup, signal: AbortSignal): Promise<void> {
    const width = group.shape.columns.length
    const perStatement = width === 0 ? 1 : Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / width))
    for (let from = 0; from < group.rows.length; from += perStatement) {
      signal.throwIfAborted()
      const to = Math.min(from + perStatement, group.rows.length)
      this.#alone = to - from === 1 ? { group, index: from } : undefined
      await (this.#isKnown() ? this.#insert(group, from, to) : this.#insertUntyped(group, from, to))
    }
    this.#alone = undefined
  }

  #isKnown(): boolean {
    return this.#plan.columns.every(column => column.known)
  }

  async #insert(group: RowGroup, from: number, to: number): Promise<void> {
    const { table, columns, conflict } = this.#plan
    const written = group.shape.columns.map(index => columns[index]!)
    const parameters: unknown[] = []
    for (let index = from; index < to; index++) {
      for (const column of written) parameters.push(this.#parameter(column, group, index))
    }
    const key = `${group.shape.number} ${to - from}`
    let text = this.#statements.get(key)
    if (text === undefined) {
      const names = written.map(column => column.name)
      const types = written.map(({ name, known }) => ({ name, sqlType: known!.column.type.sqlName }))
      text =
        conflict && types.length > 0
          ? upsertStatement(table, types, to - from, conflict)
          : insertStatement(table, names, new Array(to - from).fill(names.map(() => true)), conflict)
      this.#statements.set(key, text)
    }
    await this.#transaction.query(text, parameters)
  }

  /** Without a catalogue: a missing value is DEFAULT by keyword, and equal keys are told by their own text. */
  async #insertUntyped(group: RowGroup, from: number, to: number): Promise<void> {
    const { table, columns, conflict } = this.#plan
    const rows = group.rows.slice(from, to)
    const kept = conflict?.action === 'update' ? lastOfEachKey(rows, conflict.keys) : rows
    const parameters: unknown[] = []
    const cells = kept.map(row =>
      columns.map(column => {
        const value = column.read(row)
        if (value !== undefined) parameters.push(value)
        return value !== undefined
      }),
    )
    const names = columns.map(column => column.name)
    await this.#transaction.query(insertStatement(table, names, cells, conflict), parameters)
  }

  #parameter(column: PlannedColumn, group: RowGroup, index: number): string | Buffer | null {
    try {
      const value = column.read(group.rows[index]!)
      const parameter = value === null || value === undefined ? null : column.known!.codec.text(value)
      this.bytes += parameter?.length ?? 0
      return parameter
    } catch (cause) {
      const place = { group, index, column: column.name }
      throw new RowError(
        place,
        `Column ${JSON.stringify(column.name)}: the value could not be made into a parameter`,
        cause,
      )
    }
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}

  locate(error: unknown): RowPlace | undefined {
    return isServerError(error) && this.#alone ? { ...this.#alone, column: error.column } : undefined
  }
}

function lastOfEachKey(rows: readonly object[], keys: readonly string[]): object[] {
  const last = new Map<unknown, object>()
  for (const row of rows) {
    const values = keys.map(key => (row as Record<string, unknown>)[key])
    const distinct = values.length === 0 || values.some(value => value === null || value === undefined)
    const key = distinct ? Symbol() : values.map(String).join('\0')
    last.delete(key) // so that the row takes the last one's place, too
    last.set(key, row)
  }
  return [...last.values()]
}
