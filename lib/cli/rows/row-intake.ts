import type { Readable } from 'node:stream'
import type { SourceRow } from '../../sources/rows.ts'
import { Intake, type IntakeOptions } from './intake.ts'

/** A row with its number in the file, from 1. Checkpoints count by it. */
export interface NumberedRow {
  readonly row: SourceRow
  readonly number: number
}

/** Changes or checks a row. `number` counts from 1. An error that it throws fails the load. */
export type RowChange = (row: SourceRow, number: number) => SourceRow

/** How rows are passed on. */
export interface RowOptions {
  /** True: passes on `NumberedRow`s. False: the rows as they are. */
  readonly numbered: boolean
  /** What is done to each row that is passed on. */
  readonly change?: RowChange | undefined
}

/** The intake of rows that come one by one. */
export class RowIntake extends Intake<SourceRow> {
  readonly #options: RowOptions

  constructor(source: Readable, options: RowOptions & Pick<IntakeOptions, 'skip'>) {
    super(source, { skip: options.skip, highWaterMark: 64 })
    this.#options = options
  }

  protected override admit(read: SourceRow): [SourceRow | NumberedRow] | [] {
    const { first: number, skipped } = this.count(1)
    return skipped > 0 ? [] : [passedOn(read, number, this.#options)]
  }
}

/** Returns the row as it is passed on. */
export function passedOn(
  read: SourceRow,
  number: number,
  { change, numbered }: RowOptions,
): SourceRow | NumberedRow {
  const row = change ? change(read, number) : read
  return numbered ? { row, number } : row
}
