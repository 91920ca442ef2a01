import type { CopyIn } from '../../../connection/copy-in.ts'
import { copyContext, isServerError } from '../../../connection/server-error.ts'
import type { StatementsAround } from '../../../connection/transaction/opening.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { RowEncoder } from '../../../encode/row-encoder.ts'
import type { TableParts } from '../../../table/identifier.ts'
import { copyStatement, lockStatement } from '../../../table/statements.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import type { RowRef } from '../../rows/row-sender.ts'
import type { RowShape } from '../../rows/row-shapes.ts'

export interface OpenCopyOptions {
  readonly shape: RowShape
  readonly format: 'binary' | 'text'
  /** The staging table that the rows go to; undefined: the table itself. */
  readonly staging: TableParts | undefined
  /** Lock the table and compare its columns before the COPY, because batches are to be held as bytes only. */
  readonly isChecked: boolean
}

/** Rows that went into the COPY one after the other: the server counts them as lines. */
interface SentRows {
  readonly firstLine: number
  readonly group: RowGroup
  readonly firstIndex: number
}

/**
 * How far back an error of the server can name a row: more rows than sockets hold that the server has not
 * read.
 */
const REMEMBERED_LINES = 1_000_000

/** One COPY that takes rows of one shape, in one format. */
export class OpenCopy {
  readonly copy: CopyIn
  readonly shape: RowShape
  readonly encoder: RowEncoder
  /** How many rows it has taken. */
  lines = 0
  /** The server takes rows, and holds the lock under which it has found the columns unchanged. */
  isSound = false
  readonly #plan: TablePlan
  readonly #target: TableParts
  readonly #isChecked: boolean
  readonly #sent: SentRows[] = []

  /** Sends the statement; rows may follow at once. */
  constructor(transaction: Transaction, plan: TablePlan, options: OpenCopyOptions) {
    const { shape, format, staging, isChecked } = options
    const names = staging && plan.merge?.numbered ? plan.merge.names : undefined
    const columns = shape.columns.map(column => plan.columns[column]!.name)
    if (names) columns.push(names.ordinal, names.shape)
    this.#plan = plan
    this.#target = staging ?? plan.table
    this.#isChecked = isChecked
    this.shape = shape
    this.encoder = plan.encoderFor(shape, format, names !== undefined)
    const copy = copyStatement(this.#target, columns, format, shape.mixed)
    this.copy = transaction.openCopy(copy, this.#checks(transaction, format))
  }

  /** Notes that the rows of a group follow, from this index on. */
  follow(group: RowGroup, firstIndex: number): void {
    const half = this.#sent.length >> 1
    // a few at a time, so that the cost of moving the others does not show
    if (half >= 512 && this.lines - this.#sent[half]!.firstLine > REMEMBERED_LINES) this.#sent.splice(0, half)
    this.#sent.push({ firstLine: this.lines + 1, group, firstIndex })
  }

  /** Replaces the group whose rows were sent last. */
  replaceLast(replace: (group: RowGroup) => RowGroup): void {
    const last = this.#sent.pop()!
    this.#sent.push({ ...last, group: replace(last.group) })
  }

  #checks(transaction: Transaction, format: 'binary' | 'text'): StatementsAround {
    const sameTypes = this.#plan.requireSameTypes(this.shape)
    const lock = transaction.isTicketed ? [lockStatement(this.#plan.table)] : []
    // what was found under the lock still holds after the COPY
    const isFound = this.#isChecked && lock.length > 0
    const { checkAfterRows } = this.#plan
    return {
      before: this.#isChecked ? [...lock, sameTypes] : [],
      after: [
        ...(format === 'binary' && !isFound ? [sameTypes] : []),
        ...(checkAfterRows === undefined ? [] : [checkAfterRows]),
      ],
    }
  }

  /** Returns the row that an error of the server names by its line. */
  locate(error: unknown): RowRef | undefined {
    if (!isServerError(error)) return undefined
    const context = copyContext(error, this.#target.name, [...this.#plan.columnNames])
    const sent = context && this.#sent.findLast(rows => rows.firstLine <= context.line)
    // binary COPY may fail on the trailer, one line past the last row
    if (!sent || context.line > this.lines) return undefined
    return {
      group: sent.group,
      index: sent.firstIndex + context.line - sent.firstLine,
      column: context.column,
    }
  }
}
