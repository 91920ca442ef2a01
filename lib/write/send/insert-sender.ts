import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { TableParts } from '../../table/identifier.ts'
import { insertStatement, MAX_PARAMETERS } from '../../table/statements.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { RowGroup } from '../rows/batch.ts'
import { mixedStatements } from './mixed-statements.ts'
import { ParameterSender, type RowStatement } from './parameter-sender.ts'
import { addParameters, type Parameters } from './parameters.ts'
import { untypedStatements } from './untyped-statements.ts'

/** The most rows in one statement: a longer one gains nothing, and costs the parser memory. */
const MAX_ROWS = 1000

/** Where rows wait for a merge, beside those that came by COPY. */
export interface InsertStaging {
  readonly table: TableParts
  /** The ordinal of the batch's first item. */
  readonly firstOrdinal: number
}

/**
 * Sends rows by INSERT … VALUES with parameters, as many rows in a statement as the protocol's 65,535
 * parameters allow. It needs no COPY, so that it also writes views, tables with rules or row-level security,
 * and pg-mem.
 */
export class InsertSender extends ParameterSender {
  readonly #staging: InsertStaging | undefined
  /**
   * The last text, by shape and number of rows: all statements of a batch but the last one have the same
   * text.
   */
  #text = { key: '', text: '' }
  /** The statement that the server works on. */
  #running: Promise<void> | undefined

  constructor(transaction: Transaction, plan: TablePlan, staging?: InsertStaging) {
    super(transaction, plan)
    this.#staging = staging
  }

  override async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const hasCatalogue = this.plan.columns.every(column => column.known)
    if (groups.length > 1 && !this.#staging && hasCatalogue) return this.#sendMixed(groups, signal)
    await this.#answered()
    for (const group of groups) {
      const width = group.shape.columns.length + (this.#staging ? 2 : 0)
      const perStatement = width === 0 ? 1 : Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / width))
      for (let from = 0; from < group.rows.length; ) {
        signal.throwIfAborted()
        const to = Math.min(from + perStatement, group.rows.length)
        from = hasCatalogue ? await this.#insert(group, from, to) : await this.#insertUntyped(group, from, to)
      }
    }
  }

  /**
   * Makes each statement while the server works on the one before it. The last one is left running, so that
   * the rows of the next batch are prepared meanwhile.
   */
  async #sendMixed(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const statements = mixedStatements(this.plan, groups)
    for (;;) {
      signal.throwIfAborted()
      let next: IteratorResult<RowStatement, void>
      try {
        next = statements.next()
      } catch (error) {
        await this.#answered()
        throw error
      }
      if (next.done) return
      await this.#answered()
      this.#running = this.execute(next.value)
      this.#running.catch(() => {}) // `#answered` reports it
    }
  }

  /** Waits for the statement that is under way. @throws the error with which the server refused it */
  async #answered(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running
  }

  /** Sends as many rows of a group as fit into one statement; resolves to the index of the next row. */
  async #insert(group: RowGroup, from: number, end: number): Promise<number> {
    const written = group.shape.columns.map(index => this.plan.columns[index]!)
    const staging = this.#staging
    const numbered = staging && this.plan.merge?.numbered
    const parameters: Parameters = { values: [], length: 0 }
    let to = from
    for (; to < end && addParameters(parameters, written, group, to); to++) {
      if (!numbered) continue
      parameters.values.push(staging.firstOrdinal + group.rows.itemAt(to), group.shape.number)
    }
    const only = to - from === 1 ? { group, index: from } : undefined
    await this.execute({ text: this.#textFor(group, to - from), parameters, count: to - from, only })
    return to
  }

  #textFor({ shape }: RowGroup, count: number): string {
    const { columns, merge, table, overrides } = this.plan
    const key = `${shape.number} ${count}`
    if (this.#text.key !== key) {
      const names = shape.columns.map(index => columns[index]!.name)
      if (this.#staging && merge?.numbered) names.push(merge.names.ordinal, merge.names.shape)
      const cells = new Array(count).fill(names.map(() => true))
      const text = insertStatement(this.#staging?.table ?? table, names, cells, { overrides })
      this.#text = { key, text }
    }
    return this.#text.text
  }

  async #insertUntyped(group: RowGroup, from: number, to: number): Promise<number> {
    const only = to - from === 1 ? { group, index: from } : undefined
    for (const { text, values, count } of untypedStatements(this.plan, group.rows.slice(from, to))) {
      await this.execute({ text, parameters: { values, length: 0 }, count, only })
    }
    return to
  }

  override async close(): Promise<void> {
    await this.#answered()
  }

  override async abort(): Promise<void> {
    await this.#running?.catch(() => {})
    this.#running = undefined
  }
}
