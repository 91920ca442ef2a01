import type { Readable } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import { Intake } from './intake.ts'

export interface RecordIntakeOptions {
  /** Records at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** Says which records are skipped, by their number, where these are not the first ones. */
  readonly isWritten?: ((rowNumber: number) => boolean) | undefined
  /** Checks each record that is passed on. An error that it throws fails the load. */
  readonly check?: ((record: CsvRecord) => void) | undefined
  /** Called for each table before it is passed on. */
  readonly onBatch: (count: number, records: RecordTable) => void
}

/** The intake of CSV records. They come in tables and are numbered here. */
export class RecordIntake extends Intake<RecordTable> {
  readonly #options: RecordIntakeOptions

  constructor(source: Readable, options: RecordIntakeOptions) {
    super(source, 1)
    this.#options = options
  }

  protected override admit(records: RecordTable): RecordTable | undefined {
    const { check, onBatch } = this.#options
    records.firstNumber = this.rowsRead + 1
    this.rowsRead += records.length
    const parts = this.#notWritten(records)
    for (const part of parts) {
      if (check) for (const record of part) check(record)
      onBatch(part.length, part)
      if (part !== parts.at(-1)) this.push(part)
    }
    return parts.at(-1)
  }

  /** Returns the records that are to be written. Those of a table follow each other in the input. */
  #notWritten(records: RecordTable): RecordTable[] {
    const { skip, isWritten } = this.#options
    const { firstNumber, length } = records
    if (!isWritten) {
      const skipped = Math.max(0, skip + 1 - firstNumber)
      return skipped < length ? [records.slice(skipped)] : []
    }
    const parts: RecordTable[] = []
    for (let index = 0; index < length; ) {
      const from = index
      while (index < length && !isWritten(firstNumber + index)) index++
      if (index > from) parts.push(records.slice(from, index))
      while (index < length && isWritten(firstNumber + index)) index++
    }
    return parts
  }
}
