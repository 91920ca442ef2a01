import type { Readable } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import { Intake } from './intake.ts'

export interface RecordIntakeOptions {
  /** Records at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** Says which records are skipped, by their number, where these are not the first ones. */
  readonly isWritten?: ((rowNumber: number) => boolean) | undefined
  /** Checks each record that is passed on. An error that it throws fails the load. */
  readonly check?: ((record: CsvRecord) => void) | undefined
  /** Called for each array before it is passed on. */
  readonly onBatch: (count: number, records: readonly CsvRecord[]) => void
}

/** The intake of CSV records. They come in arrays and are numbered here. */
export class RecordIntake extends Intake<CsvRecord[]> {
  readonly #options: RecordIntakeOptions

  constructor(source: Readable, options: RecordIntakeOptions) {
    super(source, 1)
    this.#options = options
  }

  protected override admit(records: CsvRecord[]): CsvRecord[] | undefined {
    const { check, onBatch } = this.#options
    const batch = this.#notWritten(records)
    if (batch.length === 0) return undefined
    if (check) for (const record of batch) check(record)
    onBatch(batch.length, batch)
    return batch
  }

  /** Numbers the records, and returns those that are to be written. */
  #notWritten(records: CsvRecord[]): CsvRecord[] {
    const { skip, isWritten } = this.#options
    const first = Math.min(records.length, Math.max(0, skip - this.rowsRead))
    for (const record of records) record.number = ++this.rowsRead
    if (isWritten) return records.filter(({ number }) => !isWritten(number))
    return first === 0 ? records : records.slice(first)
  }
}
