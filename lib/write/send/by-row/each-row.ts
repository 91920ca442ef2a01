import type { BoundValue } from '../../../connection/bound-rows.ts'
import {
  type AroundRow,
  boundStep,
  copyStep,
  type RowStep,
  type SentStep,
} from '../../../connection/row-steps.ts'
import {
  columnOf,
  copyContext,
  isServerError,
  refusedParameter,
  type ServerError,
} from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'
import type { TableParts } from '../../../table/identifier.ts'
import { copyStatement } from '../../../table/statements.ts'
import { isRowsFault } from '../../faults/transient.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { RowError, type RowRef, unchangedOf } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'
import { notBinary, notEncodable } from '../copy/row-errors.ts'
import { addParameters, type Parameters } from '../insert/parameters.ts'
import { rowsOfRecords } from '../insert/rows-of-records.ts'
import { rowStatement } from './row-by-row-sender.ts'

/** Why a row was refused. */
export interface RefusedRow {
  readonly row: RowRef
  readonly error: unknown
}

/** The outcome of rows that went one by one. */
export interface EachResult {
  /** How many rows were settled. The row after them cannot go by COPY. */
  readonly count: number
  /** By the index of the row. */
  readonly refused: ReadonlyMap<number, RefusedRow>
  /** How many rows the server has dropped without an error, or has left as they were. */
  readonly unchanged: number
  readonly bytes: number
}

/** How much is sent before the answers are waited for. */
const MAX_BYTES = 256 * 1024

/** How long the steps after one that has failed may take: each may wait for a lock until it times out. */
const MAX_ANSWERS_MS = 5000

const BEGIN = 'SAVEPOINT pg_batch'
const UNDO = 'ROLLBACK TO SAVEPOINT pg_batch'
const KEEP = 'RELEASE SAVEPOINT pg_batch'

/**
 * Returns true where each row may go by a statement of its own, together with others: plain rows by COPY, and
 * upserts and deletes by a statement with parameters.
 */
export function mayGoAlone(plan: TablePlan, transaction: Transaction): boolean {
  const { method, merge, replacement, rowResults, selfReferences, isCitus } = plan
  const hasStatement = merge !== undefined || (plan.conflict === undefined && method !== 'insert')
  const isAlone = !replacement && !rowResults && selfReferences.length === 0 && !isCitus
  return hasStatement && isAlone && transaction.isTicketed && transaction.takesSeveral
}

/**
 * Writes rows by a statement for each, in one round trip:
 *
 *     SAVEPOINT
 *     ROLLBACK TO SAVEPOINT; COPY or INSERT; checks; RELEASE SAVEPOINT; SAVEPOINT     for each row
 *     ROLLBACK TO SAVEPOINT; RELEASE SAVEPOINT                                        before what follows
 *
 * If the row is stored, the savepoint is set anew after it. If it is refused, the server skips what follows,
 * and the next ROLLBACK undoes the row. The rows keep their order.
 */
export class EachRow {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #out: ByteBuffer
  readonly #statements = new Map<RowShape, string>()

  constructor(transaction: Transaction, plan: TablePlan, slabs: SlabLease) {
    this.#transaction = transaction
    this.#plan = plan
    this.#out = new ByteBuffer(slabs)
  }

  /**
   * Writes the first rows of several; groups have one row each.
   * @param checks statements after each row, of which the first may fail because of the row
   * @param staging a temporary table with the columns of the target, if there is one
   * @throws what is no row's fault
   */
  async send(rows: readonly RowGroup[], checks: readonly string[], staging?: string): Promise<EachResult> {
    const around = { before: UNDO, after: [...checks, KEEP, BEGIN] }
    const refused = new Map<number, RefusedRow>()
    const steps: RowStep[] = []
    const indexes: number[] = []
    let bytes = 0
    let count = 0
    for (; count < rows.length && bytes < MAX_BYTES; count++) {
      try {
        const step = this.#stepOf(rows[count]!, around)
        if (!step) break
        steps.push(step)
        indexes.push(count)
        for (const { length } of step.messages) bytes += length
      } catch (error) {
        if (!(error instanceof RowError)) throw error
        refused.set(count, { row: error.row, error })
      }
    }
    const unchanged = await this.#run(steps, (at, error) => {
      const row = { group: rows[indexes[at]!]!, index: 0 }
      refused.set(indexes[at]!, { row: { ...row, column: this.#columnOf(error, row.group) }, error })
    })
    if (staging !== undefined) await this.#findColumns(refused, { schema: 'pg_temp', name: staging })
    return { count, refused: inOrder(refused), unchanged, bytes }
  }

  /**
   * Finds the columns of values that are too long, or out of range: an INSERT checks that as it assigns the
   * value, and names no column. COPY does. Its rows are undone.
   */
  async #findColumns(refused: Map<number, RefusedRow>, staging: TableParts): Promise<void> {
    const unnamed: [number, RefusedRow][] = []
    const steps: RowStep[] = []
    for (const [index, one] of refused) {
      const { group, column } = one.row
      if (column !== undefined || !isDataException(one.error)) continue
      const data = this.#encode(group, 'text')
      if (!data) continue
      const text = copyStatement(staging, this.#namesOf(group), 'text', group.shape.mixed)
      steps.push(copyStep(text, data, { before: UNDO, after: [] }))
      unnamed.push([index, one])
    }
    await this.#run(steps, (at, error) => {
      const [index, { row, error: first }] = unnamed[at]!
      if (!isDataException(error) || error.code !== (first as ServerError).code) return
      const column = copyContext(error, staging.name, this.#namesOf(row.group))?.column
      refused.set(index, { row: { ...row, column }, error: first })
    })
  }

  /** Returns how many rows the server has dropped without an error, or has left as they were. */
  async #run(steps: readonly RowStep[], refuse: (at: number, error: unknown) => void): Promise<number> {
    if (steps.length === 0) return 0
    let unchanged = 0
    this.#transaction.before(BEGIN)
    const all = await this.#transaction.openSteps(steps)
    for (const [at, sent] of all.entries()) {
      try {
        await this.#transaction.answers.copy(sent.settled)
        unchanged += unchangedOf(1, sent.changed)
      } catch (error) {
        if (!isRowsFault(error)) {
          await this.#untilAnswered(all)
          throw error
        }
        refuse(at, error)
      }
    }
    this.#transaction.before(`${UNDO}; ${KEEP}`)
    return unchanged
  }

  /** Waits for the steps after one that has failed: the next statement would get their answers. */
  async #untilAnswered(steps: readonly SentStep[]): Promise<void> {
    const answered = Promise.allSettled(steps.map(({ settled }) => settled))
    await this.#transaction.lease.within(MAX_ANSWERS_MS, answered).catch(() => {}) // the connection is ended
  }

  /** Returns undefined for a row that COPY cannot carry. */
  #stepOf(group: RowGroup, around: AroundRow): RowStep | undefined {
    return this.#plan.merge ? this.#boundStep(group, around) : this.#copyStep(group, around)
  }

  #boundStep(record: RowGroup, around: AroundRow): RowStep {
    const { csv, columns, recordKeys, objectOf } = this.#plan
    const fields = csv ? rowsOfRecords(record, csv) : record
    const group = recordKeys ? { ...fields, rows: fields.rows.map(objectOf) } : fields
    const { shape } = group
    const parameters: Parameters = { values: [], length: 0 }
    addParameters(
      parameters,
      shape.columns.map(column => columns[column]!),
      group,
      0,
    )
    const text = this.#statements.get(shape) ?? rowStatement(this.#plan, shape).text
    this.#statements.set(shape, text)
    return boundStep(text, parameters.values as BoundValue[], around)
  }

  #copyStep(group: RowGroup, around: AroundRow): RowStep | undefined {
    const { shape } = group
    const { table, format } = this.#plan
    if (shape.columns.length === 0) return undefined
    const names = this.#namesOf(group)
    for (const one of shape.mixed || format.current === 'text' ? TEXT_ONLY : BINARY_FIRST) {
      const data = this.#encode(group, one)
      if (data) return copyStep(copyStatement(table, names, one, shape.mixed), data, around)
      if (one === 'binary') format.missed()
    }
    return undefined
  }

  /** Returns the bytes of a COPY of one row; undefined if a value has no exact form in this format. */
  #encode(group: RowGroup, format: 'binary' | 'text'): Uint8Array | undefined {
    const out = this.#out
    const encoder = this.#plan.encoderFor(group.shape, format, false)
    out.length = 0
    encoder.begin(out)
    let needsText: string | undefined
    try {
      needsText = encoder.row(out, group.rows.at(0), 0)
    } catch (error) {
      throw notEncodable(group, 0, error)
    }
    if (needsText !== undefined) {
      if (format === 'binary' && this.#plan.format.binaryOnly) throw notBinary(group, 0, needsText)
      return undefined
    }
    encoder.end(out)
    return Buffer.from(out.bytes.subarray(0, out.length)) // a copy: the next row goes to the same place
  }

  #namesOf({ shape }: RowGroup): string[] {
    return shape.columns.map(column => this.#plan.columns[column]!.name)
  }

  #columnOf(error: unknown, { shape }: RowGroup): string | undefined {
    if (!isServerError(error)) return undefined
    const { merge, table, columns, columnNames } = this.#plan
    if (!merge) return copyContext(error, table.name, [...columnNames])?.column
    const column = shape.columns[refusedParameter(error) ?? -1]
    return columnOf(error) ?? (column === undefined ? undefined : columns[column]!.name)
  }
}

const BINARY_FIRST = ['binary', 'text'] as const
const TEXT_ONLY = ['text'] as const

/** Class 22. */
function isDataException(error: unknown): error is ServerError {
  return isServerError(error) && error.code.startsWith('22')
}

function inOrder(refused: ReadonlyMap<number, RefusedRow>): ReadonlyMap<number, RefusedRow> {
  return new Map([...refused].sort(([a], [b]) => a - b))
}
