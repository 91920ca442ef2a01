import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import type { Batch, MadeRows, PreparedBatch } from './batch.ts'

/** A batch of CSV records. They become objects only if they are needed as items. */
export class RecordBatch implements Batch<CsvRecord> {
  readonly id: number
  readonly count: number
  made?: MadeRows | undefined
  prepared?: PreparedBatch | undefined
  #records: RecordTable | undefined
  #items: readonly CsvRecord[] | undefined

  constructor(id: number, records: RecordTable) {
    this.id = id
    this.count = records.length
    this.#records = records
  }

  get records(): RecordTable | undefined {
    return this.#records
  }

  get items(): readonly CsvRecord[] {
    return this.#items ?? this.#records!.all()
  }

  /** Sets what is left of the items. */
  set items(items: readonly CsvRecord[]) {
    this.#items = items
    this.#records = undefined
  }
}
