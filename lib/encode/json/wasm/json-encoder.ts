import { type JsonBlock, JsonRecord, strideOf } from '../../../json/record.ts'
import type { RowList } from '../../row-list.ts'
import { type Exported, NO_STAGING, RUN_BYTES } from '../../wasm/module.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** What the module exports; see assembly/index.ts. */
export interface JsonEncoderExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly KINDS: Exported
  readonly TAKES: Exported
  readonly KEYS: Exported
  readonly TABLE: Exported
  readonly ORDINALS: Exported
  readonly INPUT: Exported
  readonly OUTPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly TABLE_BYTES: Exported
  readonly MAX_RECORDS: Exported
  readonly MAX_COLUMNS: Exported
  readonly written: Exported
  configure(columns: number, tupleFields: number, shape: number): void
  encode(count: number, entryBytes: number, base: number, limit: number): number
}

/** How the values of a line become the tuple of a table. */
export interface JsonPlan {
  /** The numbers of `WASM_KIND`, one for each column. */
  readonly kinds: Uint8Array
  /** The numbers of `TAKES`, one for each column. */
  readonly takes: Uint8Array
  /** The index of each column's key; -1 for a column that no line has. */
  readonly keys: Int32Array
  /** The number of the rows' shape for a staging table; undefined: they go into the table itself. */
  readonly shape: number | undefined
}

/** The fields that a tuple for a staging table has more. */
const STAGING_FIELDS = 2

/**
 * The encoder of NDJSON in WebAssembly. One instance serves all COPYs of a process, because a call never
 * waits.
 */
export class JsonEncoder {
  readonly #exports: JsonEncoderExports
  readonly #memory: Uint8Array
  readonly #table: Int32Array
  readonly #ordinals: Int32Array
  #plan: JsonPlan | undefined
  /** The lines that the module has: those of this block, from one index of its bytes to another. */
  #loaded: JsonBlock | undefined
  #base = 0
  #end = 0

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: JsonEncoderExports) {
    this.#exports = exports
    const { buffer } = exports.memory
    // the memory never grows, so that these views stay valid
    this.#memory = new Uint8Array(buffer)
    this.#table = new Int32Array(buffer, exports.TABLE.value, exports.TABLE_BYTES.value / 4)
    this.#ordinals = new Int32Array(buffer, exports.ORDINALS.value, exports.MAX_RECORDS.value)
  }

  /**
   * Appends the tuples of records from index `from` on, until `out` has `limit` bytes or a record comes that
   * only JavaScript reads. Returns the index of the first record that is not encoded.
   */
  encode(
    plan: JsonPlan,
    out: ByteBuffer,
    rows: RowList,
    from: number,
    firstOrdinal: number,
    limit: number,
  ): number {
    const first = rows.at(from)
    if (!(first instanceof JsonRecord)) return from
    const { block, index } = first
    const count = this.#countRun(first, rows, from)
    if (count === 0) return from
    const stride = strideOf(block.width)
    this.#table.set(block.table.subarray(index * stride, (index + count) * stride))
    this.#loadBytes(block, index * stride, (index + count - 1) * stride)
    if (plan.shape !== undefined) {
      for (let i = 0; i < count; i++) this.#ordinals[i] = firstOrdinal + rows.itemAt(from + i)
    }
    this.#configure(plan)
    const encoded = this.#exports.encode(count, stride * 4, this.#base, limit - out.length)
    const output = this.#exports.OUTPUT.value
    out.putBytes(this.#memory.subarray(output, output + this.#exports.written.value))
    return from + encoded
  }

  /** Returns how many records follow each other in the block of the first, as far as there is room. */
  #countRun({ block, index }: JsonRecord, rows: RowList, from: number): number {
    const { table, width } = block
    const stride = strideOf(width)
    const start = table[index * stride]!
    const most = Math.min(rows.length - from, this.#ordinals.length, Math.floor(this.#table.length / stride))
    let count = 0
    for (; count < most; count++) {
      const record = rows.at(from + count)
      const isNext = record instanceof JsonRecord && record.block === block && record.index === index + count
      if (!isNext || table[(index + count) * stride + 1]! - start > RUN_BYTES) break
    }
    return count
  }

  /** Copies the bytes of lines, by the entries of the first and the last, unless the module has them. */
  #loadBytes(block: JsonBlock, first: number, last: number): void {
    const start = block.table[first]!
    const end = block.table[last + 1]!
    if (block === this.#loaded && start >= this.#base && end <= this.#end) return
    this.#memory.set(block.bytes.subarray(start, end), this.#exports.INPUT.value)
    this.#loaded = block
    this.#base = start
    this.#end = end
  }

  #configure(plan: JsonPlan): void {
    if (plan === this.#plan) return
    const { kinds, takes, keys, shape } = plan
    const { KINDS, TAKES, KEYS } = this.#exports
    this.#memory.set(kinds, KINDS.value)
    this.#memory.set(takes, TAKES.value)
    new Int32Array(this.#memory.buffer, KEYS.value, keys.length).set(keys)
    const isStaged = shape !== undefined
    this.#exports.configure(
      kinds.length,
      kinds.length + (isStaged ? STAGING_FIELDS : 0),
      isStaged ? shape : NO_STAGING,
    )
    this.#plan = plan
  }

  get maxColumns(): number {
    return this.#exports.MAX_COLUMNS.value
  }
}
