import { copyBytes } from '../../../csv/copy-bytes.ts'
import { CsvRecord } from '../../../csv/record.ts'
import { PLACE_NUMBERS, RecordTable } from '../../../csv/record-table.ts'
import { partitionPoint } from '../../../values/partition-point.ts'
import type { RowList } from '../../row-list.ts'
import { type Exported, NO_STAGING, RUN_BYTES } from '../../wasm/module.ts'
import { type TupleExports, TupleOutput } from '../../wasm/tuple-output.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** What the module exports; see assembly/index.ts. */
export interface WasmExports extends TupleExports {
  readonly KINDS: Exported
  readonly TABLE: Exported
  readonly INPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly MAX_RECORDS: Exported
  readonly MAX_FIELDS: Exported
  configure(
    delimiter: number,
    quote: number,
    emptyIsNull: number,
    fields: number,
    tupleFields: number,
    shape: number,
  ): void
  encode(
    count: number,
    base: number,
    ordinal: number,
    limit: number,
    output: number,
    outputEnd: number,
  ): number
}

/** How the fields of a file become the tuples of a table. */
export interface WasmPlan {
  readonly delimiter: number
  /** Below 0: fields are never quoted. */
  readonly quote: number
  readonly emptyIsNull: boolean
  /** The numbers of `WASM_KIND`, one for each field of the file. */
  readonly kinds: Uint8Array
  /** Fields of a tuple, with those of a staging table. */
  readonly tupleFields: number
  /** The number of the rows' shape for a staging table; undefined: they go into the table itself. */
  readonly shape: number | undefined
}

/**
 * The encoder in WebAssembly. One instance serves all COPYs of a process, because a call never waits. It
 * needs a fifth to a third of the time that JavaScript needs.
 */
export class WasmEncoder {
  readonly #exports: WasmExports
  readonly #memory: Buffer
  /** The places of the records that the module has. */
  readonly #table: Uint32Array
  readonly #input: number
  readonly #output: TupleOutput
  readonly #maxRecords: number
  readonly #maxBytes: number
  #plan: WasmPlan | undefined

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: WasmExports) {
    this.#exports = exports
    this.#maxRecords = exports.MAX_RECORDS.value
    this.#maxBytes = Math.min(RUN_BYTES, exports.INPUT_BYTES.value)
    this.#input = exports.INPUT.value
    // the memory never grows, so that these views stay valid
    this.#memory = Buffer.from(exports.memory.buffer)
    this.#output = new TupleOutput(exports)
    this.#table = new Uint32Array(
      exports.memory.buffer,
      exports.TABLE.value,
      this.#maxRecords * PLACE_NUMBERS,
    )
  }

  /**
   * Appends the tuples of records from index `from` on, until `out` has `limit` bytes or a record comes that
   * only JavaScript reads. Returns the index of the first record that is not encoded.
   */
  encode(
    plan: WasmPlan,
    out: ByteBuffer,
    rows: RowList,
    from: number,
    firstOrdinal: number,
    limit: number,
  ): number {
    const { table } = rows
    const count = table instanceof RecordTable ? this.#takePlaces(table, from) : this.#take(rows, from)
    if (count === 0) return from
    this.#configure(plan)
    const base = this.#table[0]!
    const ordinal = firstOrdinal + rows.itemAt(from)
    const encoded = this.#output.append(out, (address, end) =>
      this.#exports.encode(count, base, ordinal, limit - out.length, address, end),
    )
    return from + encoded
  }

  /** Returns memory into which the module encodes without a copy, see `TupleOutput`. */
  takeSlabs(slabBytes: number): Buffer[] {
    return this.#output.takeSlabs(slabBytes)
  }

  /** Copies the records that follow each other in one chunk of the file. Returns how many there are. */
  #take(rows: RowList, from: number): number {
    const first = rows.at(from)
    if (!(first instanceof CsvRecord)) return 0
    const { chunk, start } = first
    const table = this.#table
    const shift = rows.itemAt(from) - from
    const last = Math.min(rows.length, from + this.#maxRecords)
    let end = start
    let entry = 0
    let index = from
    for (; index < last; index++) {
      const record = rows.at(index)
      if (!(record instanceof CsvRecord) || record.chunk !== chunk || record.fault !== undefined) break
      if (record.start < end || record.end - start > this.#maxBytes) break
      if (rows.itemAt(index) - index !== shift) break
      end = record.end
      table[entry] = record.start
      table[entry + 1] = end
      entry += PLACE_NUMBERS
    }
    if (index > from) this.#memory.set(chunk.subarray(start, end), this.#input)
    return index - from
  }

  /** Takes a run of records of which only the places are known. */
  #takePlaces(records: RecordTable, from: number): number {
    const { places } = records
    const { bytes, next } = records.runOf(from)
    const last = lastWithin(records, from, Math.min(next, from + this.#maxRecords), this.#maxBytes)
    if (last === from) return 0
    const taken = places.subarray(from * PLACE_NUMBERS, last * PLACE_NUMBERS)
    this.#table.set(taken)
    copyBytes(bytes, taken[0]!, taken.at(-2)!, this.#memory, this.#input)
    return last - from
  }

  #configure(plan: WasmPlan): void {
    if (plan === this.#plan) return
    const { delimiter, quote, emptyIsNull, kinds, tupleFields, shape = NO_STAGING } = plan
    this.#memory.set(kinds, this.#exports.KINDS.value)
    this.#exports.configure(delimiter, quote, emptyIsNull ? 1 : 0, kinds.length, tupleFields, shape)
    this.#plan = plan
  }

  get maxFields(): number {
    return this.#exports.MAX_FIELDS.value
  }
}

/**
 * Returns the index after the last record that ends within so many bytes of the first one. The records before
 * it are well formed, and those of one run are in order.
 */
function lastWithin(records: RecordTable, first: number, next: number, maxBytes: number): number {
  const { places, faults } = records
  const most = places[first * PLACE_NUMBERS]! + maxBytes
  let last = partitionPoint(first, next, index => places[index * PLACE_NUMBERS + 1]! <= most)
  if (faults) for (const index of faults.keys()) if (index >= first && index < last) last = index
  return last
}
