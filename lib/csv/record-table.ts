import { CsvRecord } from './record.ts'

/** Start, end and line of each record. */
export const PLACE_NUMBERS = 3

export interface RecordTableOptions {
  /** The bytes of all records. */
  readonly bytes: Buffer
  /**
   * Where the records are in the bytes, in their order: start, end and line of each. The lines count from
   * `firstLine`.
   */
  readonly places: Uint32Array
  readonly count: number
  readonly firstLine: number
  /** The number of the first record in the input; the others follow. */
  readonly firstNumber: number
  /** The faults of malformed records, by index. */
  readonly faults?: ReadonlyMap<number, string> | undefined
}

/**
 * Records of a CSV file as the table of their places. A record becomes an object only when it is asked for,
 * because the objects cost a tenth of the CPU of a load.
 */
export class RecordTable {
  readonly bytes: Buffer
  readonly places: Uint32Array
  readonly length: number
  readonly #firstLine: number
  readonly #firstNumber: number
  readonly #faults: ReadonlyMap<number, string> | undefined
  #records: readonly CsvRecord[] | undefined

  constructor({ bytes, places, count, firstLine, firstNumber, faults }: RecordTableOptions) {
    this.bytes = bytes
    this.places = places
    this.length = count
    this.#firstLine = firstLine
    this.#firstNumber = firstNumber
    this.#faults = faults
  }

  at(index: number): CsvRecord {
    return this.#records?.[index] ?? this.#recordAt(index)
  }

  /** Returns all records, which are the same objects every time. */
  all(): readonly CsvRecord[] {
    this.#records ??= Array.from({ length: this.length }, (_, index) => this.#recordAt(index))
    return this.#records
  }

  isMalformed(index: number): boolean {
    return this.#faults?.has(index) ?? false
  }

  #recordAt(index: number): CsvRecord {
    const entry = index * PLACE_NUMBERS
    const [start, end] = [this.places[entry]!, this.places[entry + 1]!]
    const line = this.#firstLine + this.places[entry + 2]!
    const record = new CsvRecord(this.bytes, start, end, line, this.#faults?.get(index))
    record.number = this.#firstNumber + index
    return record
  }
}
