import { columnOf, isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { TableParts } from '../../table/identifier.ts'
import { type Conflict, insertStatement, MAX_PARAMETERS } from '../../table/statements.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { RowGroup } from '../rows/batch.ts'
import { type RowPlace, type RowSender, unchangedOf } from '../rows/row-sender.ts'
import { type MixedStatement, mixedStatements } from './mixed-statements.ts'
import { addParameters, type Parameters } from './parameter-of.ts'

/** Rows in one statement at the most: beyond this a longer statement gains nothing, and costs the parser memory. */
const MAX_ROWS = 1000

/** Where rows wait for a merge, beside those that came by COPY. */
export interface InsertStaging {
  readonly table: TableParts
  /** The ordinal of the batch's first item. */
  readonly firstOrdinal: number
}

/**
 * Sends rows by INSERT … VALUES with parameters, as many rows in a statement as the protocol's 65,535 parameters
 * allow. It needs no COPY, so that views, rules, row-level security and pg-mem can be written, too.
 */
export class InsertSender implements RowSender {
  readonly method = 'insert'
  bytes = 0
  unchanged = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #staging: InsertStaging | undefined
  /** The last statement, by shape and number of rows: all but a batch's last one have the same text. */
  #statement = { key: '', text: '' }
  #alone: RowPlace | undefined
  /** The statement that the server works on. */
  #running: Promise<void> | undefined

  constructor(transaction: Transaction, plan: TablePlan, staging?: InsertStaging) {
    this.#transaction = transaction
    this.#plan = plan
    this.#staging = staging
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    if (groups.length > 1 && !this.#staging && this.#isKnown()) return this.#sendMixed(groups, signal)
    await this.#answered()
    for (const group of groups) {
      const width = group.shape.columns.length + (this.#staging ? 2 : 0)
      const perStatement = width === 0 ? 1 : Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / width))
      for (let from = 0; from < group.rows.length; ) {
        signal.throwIfAborted()
        const to = Math.min(from + perStatement, group.rows.length)
        if (this.#isKnown()) from = await this.#insert(group, from, to)
        else {
          this.#alone = to - from === 1 ? { group, index: from } : undefined
          await this.#insertUntyped(group, from, to)
          from = to
        }
      }
    }
    this.#alone = undefined
  }

  /**
   * Makes each statement while the server works on the one before it. The last one is left running: rows of the next batch
   * are prepared meanwhile.
   */
  async #sendMixed(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const statements = mixedStatements(this.#plan, groups)
    for (;;) {
      signal.throwIfAborted()
      let next: IteratorResult<MixedStatement, void>
      try {
        next = statements.next()
      } catch (error) {
        await this.#answered()
        throw error
      }
      if (next.done) return
      await this.#answered()
      this.#running = this.#runMixed(next.value)
      this.#running.catch(() => {}) // `#answered` reports it
    }
  }

  /** Waits for the statement that is under way. @throws what the server refused it with */
  async #answered(): Promise<void> {
    const running = this.#running
    if (!running) return
    this.#running = undefined
    await running
    this.#alone = undefined
  }

  async #runMixed({ text, parameters, places }: MixedStatement): Promise<void> {
    this.bytes += parameters.length
    this.#alone = places.length === 1 ? places[0] : undefined
    const { rowCount } = await this.#transaction.query(text, parameters.values)
    this.unchanged += unchangedOf(places.length, rowCount)
  }

  #isKnown(): boolean {
    return this.#plan.columns.every(column => column.known)
  }

  /** Sends rows of a group, as far as their bytes fit into one statement; resolves to where the next one begins. */
  async #insert(group: RowGroup, from: number, end: number): Promise<number> {
    const { columns } = this.#plan
    const staging = this.#staging
    const numbered = this.#plan.merge?.numbered
    const written = group.shape.columns.map(index => columns[index]!)
    const parameters: Parameters = { values: [], length: 0 }
    let to = from
    for (; to < end && addParameters(parameters, written, group, to); to++) {
      if (!staging || !numbered) continue
      parameters.values.push(staging.firstOrdinal + group.rows.itemAt(to), group.shape.number)
    }
    this.bytes += parameters.length
    const key = `${group.shape.number} ${to - from}`
    if (this.#statement.key !== key) {
      const names = [...written.map(column => column.name), ...this.#stagingNames()]
      const text = insertStatement(
        staging?.table ?? this.#plan.table,
        names,
        new Array(to - from).fill(names.map(() => true)),
      )
      this.#statement = { key, text }
    }
    this.#alone = to - from === 1 ? { group, index: from } : undefined
    const { rowCount } = await this.#transaction.query(this.#statement.text, parameters.values)
    this.unchanged += unchangedOf(to - from, rowCount)
    return to
  }

  /** Without a catalogue: a missing value is DEFAULT by keyword, and equal keys are told by their own text. */
  async #insertUntyped(group: RowGroup, from: number, to: number): Promise<void> {
    const { columns, conflict } = this.#plan
    const rows = group.rows.slice(from, to)
    if (conflict?.action !== 'update') return this.#insertCells(rows, columns, conflict)
    // an update sets the columns that a row brings, and rows of one statement all set the same
    for (const { brought, rows: run } of runsOfBrought(rows, columns)) {
      const update = conflict.update.filter(name => brought.some(column => column.name === name))
      await this.#insertCells(lastOfEachKey(run, conflict.keys), brought, { ...conflict, update })
    }
  }

  async #insertCells(
    rows: readonly object[],
    columns: readonly PlannedColumn[],
    conflict: Conflict | undefined,
  ): Promise<void> {
    const parameters: unknown[] = []
    const cells = rows.map(row =>
      columns.map(column => {
        const value = column.read(row)
        if (value !== undefined) parameters.push(value)
        return value !== undefined
      }),
    )
    const names = columns.map(column => column.name)
    const text = insertStatement(this.#plan.table, names, cells, conflict)
    const { rowCount } = await this.#transaction.query(text, parameters)
    this.unchanged += unchangedOf(rows.length, rowCount)
  }

  #stagingNames(): string[] {
    if (!this.#staging || !this.#plan.merge?.numbered) return []
    const { ordinal, shape } = this.#plan.merge.names
    return [ordinal, shape]
  }

  async close(): Promise<void> {
    await this.#answered()
  }

  async abort(): Promise<void> {
    await this.#running?.catch(() => {})
    this.#running = undefined
  }

  locate(error: unknown): RowPlace | undefined {
    return isServerError(error) && this.#alone ? { ...this.#alone, column: columnOf(error) } : undefined
  }
}

/** Rows that follow each other and bring values for the same columns; without any, one row each. */
function runsOfBrought(
  rows: readonly object[],
  columns: readonly PlannedColumn[],
): { brought: PlannedColumn[]; rows: object[] }[] {
  const runs: { brought: PlannedColumn[]; rows: object[] }[] = []
  for (const row of rows) {
    const brought = columns.filter(column => column.read(row) !== undefined)
    const last = runs.at(-1)
    const same = brought.length > 0 && last?.brought.length === brought.length
    if (same && brought.every((column, index) => column === last.brought[index])) last.rows.push(row)
    else runs.push({ brought, rows: [row] })
  }
  return runs
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
