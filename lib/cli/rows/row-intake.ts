import type { Readable } from 'node:stream'
import type { SourceRow } from '../../sources/rows.ts'
import { Intake } from './intake.ts'

/** A row with its number in the file, from 1. Checkpoints count by it. */
export interface NumberedRow {
  readonly row: SourceRow
  readonly number: number
}

export interface IntakeOptions {
  /** Rows at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** True: passes on `NumberedRow`s. False: the rows as they are. */
  readonly numbered: boolean
}

/** The intake of rows that come one by one. */
export class RowIntake extends Intake<SourceRow> {
  readonly #numbered: boolean
  readonly #skip: number

  constructor(source: Readable, { skip, numbered }: IntakeOptions) {
    super(source, 64)
    this.#numbered = numbered
    this.#skip = skip
  }

  protected override admit(row: SourceRow): SourceRow | NumberedRow | undefined {
    const number = ++this.rowsRead
    if (number <= this.#skip) return undefined
    return this.#numbered ? { row, number } : row
  }
}
