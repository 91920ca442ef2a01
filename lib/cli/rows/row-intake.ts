import type { Readable } from 'node:stream'
import type { SourceRow } from '../../sources/rows.ts'
import { Intake } from './intake.ts'

/** A row with its number in the file, from 1. Checkpoints count by it. */
export interface NumberedRow {
  readonly row: SourceRow
  readonly number: number
}

/** Changes or checks a row. `number` counts from 1. An error that it throws fails the load. */
export type RowChange = (row: SourceRow, number: number) => SourceRow

export interface IntakeOptions {
  /** Rows at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** True: passes on `NumberedRow`s. False: the rows as they are. */
  readonly numbered: boolean
  /** What is done to each row that is passed on. */
  readonly change?: RowChange | undefined
}

/** The intake of rows that come one by one. */
export class RowIntake extends Intake<SourceRow> {
  readonly #numbered: boolean
  readonly #skip: number
  readonly #change: RowChange | undefined

  constructor(source: Readable, { skip, numbered, change }: IntakeOptions) {
    super(source, 64)
    this.#numbered = numbered
    this.#skip = skip
    this.#change = change
  }

  protected override admit(read: SourceRow): SourceRow | NumberedRow | undefined {
    const number = ++this.rowsRead
    if (number <= this.#skip) return undefined
    const row = this.#change ? this.#change(read, number) : read
    return this.#numbered ? { row, number } : row
  }
}
