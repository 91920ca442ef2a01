import { holdChunk, releaseChunk } from '../values/chunk-memory.ts'
import { ItemTable } from '../values/items/item-table.ts'
import { CsvRecord } from './record.ts'

/** Start, end and line of each record. */
export const PLACE_NUMBERS = 3

/** Records that follow each other in one chunk of a file. */
export interface RecordRun {
  readonly bytes: Buffer
  /** The index in the table after the last of them. */
  readonly next: number
}

export interface RecordTableOptions {
  readonly runs: readonly RecordRun[]
  /**
   * Where the records are in the bytes of their run, in their order: start, end and line of each. The lines
   * count from `firstLine`.
   */
  readonly places: Uint32Array
  readonly count: number
  readonly firstLine: number
  /** The number of the first record in the input; the others follow. @default 1 */
  readonly firstNumber?: number | undefined
  /** The faults of malformed records, by index. */
  readonly faults?: ReadonlyMap<number, string> | undefined
}

/** Records of a CSV file as the table of their places. */
export class RecordTable extends ItemTable<CsvRecord> {
  runs: readonly RecordRun[]
  readonly places: Uint32Array
  readonly length: number
  readonly firstLine: number
  readonly faults: ReadonlyMap<number, string> | undefined
  #firstNumber: number
  /** Records exist as objects, which refer to the bytes. */
  #hasObjects = false

  constructor({ runs, places, count, firstLine, firstNumber = 1, faults }: RecordTableOptions) {
    super()
    this.runs = runs
    for (const { bytes } of runs) holdChunk(bytes)
    this.places = places
    this.length = count
    this.firstLine = firstLine
    this.#firstNumber = firstNumber
    this.faults = faults
  }

  get firstNumber(): number {
    return this.#firstNumber
  }

  /** To be set before records are kept as objects, which have their numbers. */
  set firstNumber(number: number) {
    this.#firstNumber = number
    this.forgetItems()
  }

  /** Returns the run that a record is in. */
  runOf(index: number): RecordRun {
    const { runs } = this
    let low = 0
    for (let high = runs.length - 1; low < high; ) {
      const middle = (low + high) >> 1
      if (index < runs[middle]!.next) high = middle
      else low = middle + 1
    }
    return runs[low]!
  }

  isMalformed(index: number): boolean {
    return this.faults?.has(index) ?? false
  }

  /** Returns the records, with the faults of those for which `isFaulty` returns true. */
  withFaultsIf(isFaulty: (record: CsvRecord) => boolean): RecordTable {
    const faults = new Map([...(this.faults ?? [])].filter(([index]) => isFaulty(this.itemAt(index))))
    return new RecordTable({
      ...{ runs: this.runs, places: this.places, count: this.length, firstLine: this.firstLine },
      firstNumber: this.#firstNumber,
      faults: faults.size === 0 ? undefined : faults,
    })
  }

  /** Returns the line of the first record, where each record has one line, and otherwise the line of each. */
  lines(): number | Uint32Array {
    const { places, length, firstLine } = this
    const lineAt = (index: number) => firstLine + places[index * PLACE_NUMBERS + 2]!
    // each record begins on a line of its own
    if (lineAt(length - 1) - lineAt(0) === length - 1) return lineAt(0)
    return Uint32Array.from({ length }, (_, index) => lineAt(index))
  }

  override slice(from: number, to = this.length): RecordTable {
    const end = Math.min(to, this.length)
    if (from === 0 && end === this.length) return this
    const runs: RecordRun[] = []
    for (const { bytes, next } of this.runs) {
      if (next > from) runs.push({ bytes, next: Math.min(next, end) - from })
      if (next >= end) break
    }
    return new RecordTable({
      runs,
      places: this.places.subarray(from * PLACE_NUMBERS, end * PLACE_NUMBERS),
      count: end - from,
      firstLine: this.firstLine,
      firstNumber: this.#firstNumber + from,
      faults: this.faults && shifted(this.faults, from, end),
    })
  }

  /** Releases the bytes, so that their memory is used again, unless a record exists as an object. */
  override release(): void {
    if (this.#hasObjects) return
    for (const { bytes } of this.runs) releaseChunk(bytes)
    this.runs = []
  }

  protected override itemAt(index: number): CsvRecord {
    return this.#recordAt(index, this.runOf(index))
  }

  protected override *each(): Generator<CsvRecord> {
    let index = 0
    for (const run of this.runs) for (; index < run.next; index++) yield this.#recordAt(index, run)
  }

  #recordAt(index: number, { bytes }: RecordRun): CsvRecord {
    this.#hasObjects = true
    const entry = index * PLACE_NUMBERS
    const [start, end] = [this.places[entry]!, this.places[entry + 1]!]
    const line = this.firstLine + this.places[entry + 2]!
    const record = new CsvRecord(bytes, start, end, line, this.faults?.get(index))
    record.number = this.#firstNumber + index
    return record
  }
}

/** Returns the faults of the records from one index to another, by their index from the first of these. */
function shifted(faults: ReadonlyMap<number, string>, from: number, to: number): Map<number, string> {
  const part = new Map<number, string>()
  for (const [index, fault] of faults) if (index >= from && index < to) part.set(index - from, fault)
  return part
}
