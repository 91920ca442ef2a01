import type { Readable } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import { BatchIntake, type BatchIntakeOptions } from './intake.ts'

export interface RecordIntakeOptions extends BatchIntakeOptions<RecordTable> {
  /** Says which records are skipped, by their number, where these are not the first ones. */
  readonly isWritten?: ((rowNumber: number) => boolean) | undefined
  /** Judges the faults of records by the fields that are loaded. */
  readonly judge?: ((records: RecordTable) => RecordTable) | undefined
  /** Checks each record that is passed on. An error that it throws fails the load. */
  readonly check?: ((record: CsvRecord) => void) | undefined
}

/** The intake of CSV records. They come in tables and are numbered here. */
export class RecordIntake extends BatchIntake<RecordTable, RecordTable> {
  readonly #options: RecordIntakeOptions

  constructor(source: Readable, options: RecordIntakeOptions) {
    super(source, options)
    this.#options = options
  }

  protected override batchesOf(taken: RecordTable): RecordTable[] {
    const { isWritten, judge, check } = this.#options
    const records = judge?.(taken) ?? taken
    const { first, skipped } = this.count(records.length)
    records.firstNumber = first
    const batches = isWritten ? notWritten(records, isWritten) : [records.slice(skipped)]
    if (check) for (const batch of batches) for (const record of batch) check(record)
    return batches
  }
}

/** Returns the records that are to be written. Those of a table follow each other in the input. */
function notWritten(records: RecordTable, isWritten: (rowNumber: number) => boolean): RecordTable[] {
  const { firstNumber, length } = records
  const parts: RecordTable[] = []
  for (let index = 0; index < length; ) {
    const from = index
    while (index < length && !isWritten(firstNumber + index)) index++
    parts.push(records.slice(from, index))
    while (index < length && isWritten(firstNumber + index)) index++
  }
  return parts
}
