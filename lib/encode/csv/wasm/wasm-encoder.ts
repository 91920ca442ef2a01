import { copyBytes } from '../../../csv/copy-bytes.ts'
import { CsvRecord } from '../../../csv/record.ts'
import { PLACE_NUMBERS, type RecordTable } from '../../../csv/record-table.ts'
import type { RowList } from '../../row-list.ts'
import { type Exported, NO_STAGING, RUN_BYTES } from '../../wasm/module.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** What the module exports; see assembly/index.ts. */
export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly KINDS: Exported
  readonly TABLE: Exported
  readonly INPUT: Exported
  readonly OUTPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly MAX_RECORDS: Exported
  readonly MAX_FIELDS: Exported
  readonly written: Exported
  configure(
    delimiter: number,
    quote: number,
    emptyIsNull: number,
    fields: number,
    tupleFields: number,
    shape: number,
  ): void
  encode(count: number, limit: number): number
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
  /** Start, end and ordinal of each record. */
  readonly #table: Int32Array
  readonly #input: number
  readonly #output: number
  readonly #maxRecords: number
  readonly #maxBytes: number
  #plan: WasmPlan | undefined

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: WasmExports) {
    this.#exports = exports
    this.#maxRecords = exports.MAX_RECORDS.value
    this.#maxBytes = Math.min(RUN_BYTES, exports.INPUT_BYTES.value)
    this.#input = exports.INPUT.value
    this.#output = exports.OUTPUT.value
    // the memory never grows, so that these views stay valid
    this.#memory = Buffer.from(exports.memory.buffer)
    this.#table = new Int32Array(exports.memory.buffer, exports.TABLE.value, this.#maxRecords * 3)
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
    const { records } = rows
    const count = records
      ? this.#takePlaces(records, from, firstOrdinal)
      : this.#take(rows, from, firstOrdinal)
    if (count === 0) return from
    this.#configure(plan)
    const encoded = this.#exports.encode(count, limit - out.length)
    const written = this.#exports.written.value
    out.putBytes(this.#memory.subarray(this.#output, this.#output + written))
    return from + encoded
  }

  /** Copies the records that follow each other in one chunk of the file. Returns how many there are. */
  #take(rows: RowList, from: number, firstOrdinal: number): number {
    const first = rows.at(from)
    if (!(first instanceof CsvRecord)) return 0
    const { chunk, start } = first
    const table = this.#table
    const last = Math.min(rows.length, from + this.#maxRecords)
    let end = start
    let entry = 0
    let index = from
    for (; index < last; index++) {
      const record = rows.at(index)
      if (!(record instanceof CsvRecord) || record.chunk !== chunk || record.fault !== undefined) break
      if (record.start < end || record.end - start > this.#maxBytes) break
      end = record.end
      table[entry] = record.start - start
      table[entry + 1] = end - start
      table[entry + 2] = firstOrdinal + rows.itemAt(index)
      entry += 3
    }
    if (index > from) this.#memory.set(chunk.subarray(start, end), this.#input)
    return index - from
  }

  /** Takes a run of records of which only the places are known. */
  #takePlaces(records: RecordTable, from: number, firstOrdinal: number): number {
    const { places } = records
    const { bytes, next } = records.runOf(from)
    const table = this.#table
    const last = Math.min(next, from + this.#maxRecords)
    const start = places[from * PLACE_NUMBERS]!
    let end = start
    let entry = 0
    let index = from
    for (let place = from * PLACE_NUMBERS; index < last; index++, place += PLACE_NUMBERS) {
      const recordEnd = places[place + 1]!
      if (recordEnd - start > this.#maxBytes || records.isMalformed(index)) break
      end = recordEnd
      table[entry] = places[place]! - start
      table[entry + 1] = recordEnd - start
      table[entry + 2] = firstOrdinal + index
      entry += 3
    }
    copyBytes(bytes, start, end, this.#memory, this.#input)
    return index - from
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
