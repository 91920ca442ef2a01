import { holdChunk, releaseChunk } from '../values/chunk-memory.ts'
import type { CsvRecord } from './record.ts'
import { PLACE_NUMBERS, type RecordRun, RecordTable } from './record-table.ts'

const FIRST_ROOM = 1024

/** The places of records in a chunk. */
export interface ChunkPlaces {
  readonly chunk: Buffer
  /** Start, end and line of each record. */
  readonly places: Uint32Array
  /** The index in the chunk from which starts and ends count. */
  readonly shift: number
  /** The line from which lines count. */
  readonly line: number
}

/** Collects records, and makes tables of them. */
export class RecordTableBuilder {
  /** How many records there are. */
  length = 0
  /** How many bytes they have, about. */
  bytes = 0
  /** Used for one table after the other: each gets a copy that is as long as needed. */
  #places = new Uint32Array(FIRST_ROOM * PLACE_NUMBERS)
  #runs: RecordRun[] = []
  #faults: Map<number, string> | undefined
  #firstLine = 0
  /** The chunk of the last record, and where it ends there. */
  #chunk: Buffer | undefined
  #end = 0

  /** Adds a record: the place of its bytes in a chunk of the file, its line, and why it is malformed. */
  add(chunk: Buffer, start: number, end: number, line: number, fault?: string): void {
    const index = this.length++
    if (index === 0) this.#firstLine = line
    // records that go back in a chunk begin a run, too, so that the bytes of a run are in order
    if (chunk !== this.#chunk || start < this.#end) this.#beginRun(chunk, index)
    if (fault !== undefined) {
      this.#faults ??= new Map()
      this.#faults.set(index, fault)
    }
    const entry = index * PLACE_NUMBERS
    if (entry === this.#places.length) this.#grow()
    const places = this.#places
    places[entry] = start
    places[entry + 1] = end
    places[entry + 2] = line - this.#firstLine
    this.#end = end
    this.bytes += end - start
  }

  /** Adds records of a chunk from one index to another. One by one they would take more time. */
  addPlaces({ chunk, places: from, shift, line }: ChunkPlaces, first: number, next: number): void {
    const begin = first * PLACE_NUMBERS
    const start = from[begin]! + shift
    const end = from[(next - 1) * PLACE_NUMBERS + 1]! + shift
    if (this.length === 0) this.#firstLine = line + from[begin + 2]!
    if (chunk !== this.#chunk || start < this.#end) this.#beginRun(chunk, this.length)
    const last = (this.length + next - first) * PLACE_NUMBERS
    while (last > this.#places.length) this.#grow()
    const places = this.#places
    const lineShift = line - this.#firstLine
    for (
      let to = this.length * PLACE_NUMBERS, at = begin;
      to < last;
      to += PLACE_NUMBERS, at += PLACE_NUMBERS
    ) {
      places[to] = from[at]! + shift
      places[to + 1] = from[at + 1]! + shift
      places[to + 2] = from[at + 2]! + lineShift
    }
    this.length += next - first
    this.bytes += end - start
    this.#end = end
  }

  addRecord({ chunk, start, end, line, fault }: CsvRecord): void {
    this.add(chunk, start, end, line, fault)
  }

  /** Returns the records as a table, and begins another one. Undefined if there are none. */
  take(): RecordTable | undefined {
    if (this.length === 0) return undefined
    this.#endRun(this.length)
    const table = new RecordTable({
      runs: this.#runs,
      places: this.#places.slice(0, this.length * PLACE_NUMBERS),
      firstLine: this.#firstLine,
      faults: this.#faults,
    })
    for (const { bytes } of this.#runs) releaseChunk(bytes) // the table holds them
    this.length = 0
    this.bytes = 0
    this.#runs = []
    this.#faults = undefined
    this.#chunk = undefined
    return table
  }

  #beginRun(chunk: Buffer, index: number): void {
    this.#endRun(index)
    holdChunk(chunk)
    this.#chunk = chunk
  }

  #endRun(next: number): void {
    if (this.#chunk !== undefined) this.#runs.push({ bytes: this.#chunk, next })
  }

  #grow(): void {
    const places = new Uint32Array(this.#places.length * 2)
    places.set(this.#places)
    this.#places = places
  }
}

/** Returns a table of records that exist as objects. */
export function tableOf(records: Iterable<CsvRecord>): RecordTable {
  const builder = new RecordTableBuilder()
  for (const record of records) builder.addRecord(record)
  return builder.take()!
}
