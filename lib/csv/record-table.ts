import { holdChunk, releaseChunk } from '../values/chunk-memory.ts'
import { type ChunkRun, ChunkTable } from '../values/items/chunk-table.ts'
import { CsvRecord } from './record.ts'

/** Start, end and line of each record. */
export const PLACE_NUMBERS = 3

/** Records that follow each other in one chunk of a file. */
export interface RecordRun extends ChunkRun {
  readonly bytes: Buffer
}

export interface RecordTableOptions {
  readonly runs: readonly RecordRun[]
  /**
   * Where the records are in the bytes of their run, in their order: start, end and line of each. The lines
   * count from `firstLine`.
   */
  readonly places: Uint32Array
  readonly firstLine: number
  /** The number of the first record in the input; the others follow. @default 1 */
  readonly firstNumber?: number | undefined
  /** The faults of malformed records, by index. */
  readonly faults?: ReadonlyMap<number, string> | undefined
}

/** Records of a CSV file as the table of their places. */
export class RecordTable extends ChunkTable<CsvRecord, RecordRun> {
  readonly places: Uint32Array
  readonly firstLine: number
  readonly faults: ReadonlyMap<number, string> | undefined

  constructor({ runs, places, firstLine, firstNumber = 1, faults }: RecordTableOptions) {
    super(runs, firstNumber)
    this.places = places
    this.firstLine = firstLine
    this.faults = faults
  }

  isMalformed(index: number): boolean {
    return this.faults?.has(index) ?? false
  }

  /** Returns the records, with the faults of those for which `isFaulty` returns true. */
  withFaultsIf(isFaulty: (record: CsvRecord) => boolean): RecordTable {
    const faults = new Map([...(this.faults ?? [])].filter(([index]) => isFaulty(this.itemAt(index))))
    const { runs, places, firstLine, firstNumber } = this
    return new RecordTable({
      ...{ runs, places, firstLine, firstNumber },
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
    return new RecordTable({
      runs: this.runsBetween(from, end),
      places: this.places.subarray(from * PLACE_NUMBERS, end * PLACE_NUMBERS),
      firstLine: this.firstLine,
      firstNumber: this.firstNumber + from,
      faults: this.faults && shifted(this.faults, from, end),
    })
  }

  protected override makeItem(index: number, { bytes }: RecordRun): CsvRecord {
    const entry = index * PLACE_NUMBERS
    const [start, end] = [this.places[entry]!, this.places[entry + 1]!]
    const line = this.firstLine + this.places[entry + 2]!
    const record = new CsvRecord(bytes, start, end, line, this.faults?.get(index))
    record.number = this.firstNumber + index
    return record
  }

  protected override holdRun({ bytes }: RecordRun): void {
    holdChunk(bytes)
  }

  protected override releaseRun({ bytes }: RecordRun): void {
    releaseChunk(bytes)
  }
}

/** Returns the faults of the records from one index to another, by their index from the first of these. */
function shifted(faults: ReadonlyMap<number, string>, from: number, to: number): Map<number, string> {
  const part = new Map<number, string>()
  for (const [index, fault] of faults) if (index >= from && index < to) part.set(index - from, fault)
  return part
}
