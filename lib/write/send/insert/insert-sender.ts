import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { TableParts } from '../../../table/identifier.ts'
import { insertStatement, MAX_PARAMETERS } from '../../../table/statements.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
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
  /** The last statement that was made. It waits for the next one, or for COMMIT to be sent with it. */
  #held: RowStatement | undefined
  /** The statement that the server works on. */
  #running: Promise<void> | undefined

  constructor(transaction: Transaction, plan: TablePlan, staging?: InsertStaging) {
    super(transaction, plan)
    this.#staging = staging
  }

  override get bytes(): number {
    return super.bytes + (this.#held?.parameters.length ?? 0)
  }

  /** Makes each statement while the server works on the one before it. */
  override async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    const statements = this.#statementsFor(groups)
    for (;;) {
      signal.throwIfAborted()
      let next: IteratorResult<RowStatement, void>
      try {
        next = statements.next()
      } catch (error) {
        await this.close() // an earlier row's error comes first
        throw error
      }
      if (next.done) return
      await this.#hold(next.value)
    }
  }

  #statementsFor(groups: readonly RowGroup[]): Iterator<RowStatement, void> {
    const hasCatalogue = this.plan.columns.every(column => column.known)
    if (!hasCatalogue) return this.#untyped(groups)
    return groups.length > 1 && !this.#staging ? mixedStatements(this.plan, groups) : this.#ofOneShape(groups)
  }

  /** Holds a statement, and sends the one that was held, once the server has answered the one before. */
  async #hold(next: RowStatement | undefined): Promise<void> {
    await this.#answered()
    const held = this.#held
    this.#held = next
    if (!held) return
    this.#running = this.execute(held)
    this.#running.catch(() => {}) // `#answered` reports it
  }

  /** Waits for the statement that is under way. @throws the error with which the server refused it */
  async #answered(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running
  }

  *#ofOneShape(groups: readonly RowGroup[]): Generator<RowStatement, void> {
    for (const group of groups) {
      for (let from = 0; from < group.rows.length; ) {
        const statement = this.#insert(group, from)
        yield statement
        from += statement.count
      }
    }
  }

  /** Makes a statement for as many rows of a group as fit into one. */
  #insert(group: RowGroup, from: number): RowStatement {
    const { columns, merge } = this.plan
    const written = group.shape.columns.map(index => columns[index]!)
    const staging = this.#staging
    const numbered = staging && merge?.numbered
    const parameters: Parameters = { values: [], length: 0 }
    const end = Math.min(from + this.#rowsPerStatement(group), group.rows.length)
    let to = from
    for (; to < end && addParameters(parameters, written, group, to); to++) {
      if (!numbered) continue
      parameters.values.push(staging.firstOrdinal + group.rows.itemAt(to), group.shape.number)
    }
    const names = this.#columnsOf(group)
    return {
      text: this.#textFor(group, names, to - from),
      parameters,
      count: to - from,
      only: to - from === 1 ? { group, index: from } : undefined,
      columns: names,
      rowOf: parameter => ({ group, index: from + Math.floor(parameter / names.length) }),
    }
  }

  #rowsPerStatement({ shape }: RowGroup): number {
    const width = shape.columns.length + (this.#staging ? 2 : 0)
    return width === 0 ? 1 : Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / width))
  }

  #columnsOf({ shape }: RowGroup): string[] {
    const { columns, merge } = this.plan
    const names = shape.columns.map(index => columns[index]!.name)
    if (this.#staging && merge?.numbered) names.push(merge.names.ordinal, merge.names.shape)
    return names
  }

  #textFor({ shape }: RowGroup, names: readonly string[], count: number): string {
    const { table, overrides } = this.plan
    const key = `${shape.number} ${count}`
    if (this.#text.key !== key) {
      const cells = new Array(count).fill(names.map(() => true))
      const text = insertStatement(this.#staging?.table ?? table, names, cells, { overrides })
      this.#text = { key, text }
    }
    return this.#text.text
  }

  *#untyped(groups: readonly RowGroup[]): Generator<RowStatement, void> {
    for (const group of groups) {
      const perStatement = this.#rowsPerStatement(group)
      for (let from = 0; from < group.rows.length; from += perStatement) {
        const rows = group.rows.slice(from, from + perStatement)
        const only = rows.length === 1 ? { group, index: from } : undefined
        for (const { text, values, count } of untypedStatements(this.plan, rows)) {
          yield { text, parameters: { values, length: 0 }, count, only, columns: [] }
        }
      }
    }
  }

  override async close(commits = false): Promise<void> {
    await this.#answered()
    const held = this.#held
    this.#held = undefined
    if (!held) return
    await (commits ? this.executeAndCommit(held) : this.execute(held))
  }

  override async abort(): Promise<void> {
    this.#held = undefined
    await this.#running?.catch(() => {})
    this.#running = undefined
  }
}
