import type { BlockLines } from '../../../json/record.ts'
import { partitionPoint } from '../../../values/partition-point.ts'
import { type Exported, NO_STAGING, RUN_BYTES } from '../../wasm/module.ts'
import { type TupleExports, TupleOutput } from '../../wasm/tuple-output.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** What the module exports; see assembly/index.ts. */
export interface JsonEncoderExports extends TupleExports {
  readonly KINDS: Exported
  readonly TAKES: Exported
  readonly KEYS: Exported
  readonly TABLE: Exported
  readonly INPUT: Exported
  readonly TABLE_BYTES: Exported
  readonly MAX_COLUMNS: Exported
  configure(columns: number, tupleFields: number, shape: number): void
  encode(
    count: number,
    entryBytes: number,
    base: number,
    ordinal: number,
    limit: number,
    output: number,
    outputEnd: number,
  ): number
}

/** How the values of a line become the tuple of a table. */
export interface JsonPlan {
  /** The numbers of `WASM_KIND`, one for each column. */
  readonly kinds: Uint8Array
  /** The numbers of `TAKES`, one for each column. */
  readonly takes: Uint8Array
  /** The index of each column's key; -1 for a column that no line has. */
  readonly keys: Int32Array
  /** Fields of a tuple, with those of a staging table. */
  readonly tupleFields: number
  /** The number of the rows' shape for a staging table; undefined: they go into the table itself. */
  readonly shape: number | undefined
}

/**
 * The encoder of NDJSON in WebAssembly. One instance serves all COPYs of a process, because a call never
 * waits.
 */
export class JsonEncoder {
  readonly #exports: JsonEncoderExports
  readonly #memory: Uint8Array
  /** The places of the lines that the module has. */
  readonly #table: Int32Array
  readonly #output: TupleOutput
  #plan: JsonPlan | undefined

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: JsonEncoderExports) {
    this.#exports = exports
    const { buffer } = exports.memory
    // the memory never grows, so that these views stay valid
    this.#memory = new Uint8Array(buffer)
    this.#table = new Int32Array(buffer, exports.TABLE.value, exports.TABLE_BYTES.value / 4)
    this.#output = new TupleOutput(exports)
  }

  /**
   * Appends the tuples of lines until `out` has `limit` bytes or a line comes that only JavaScript reads.
   * Returns how many lines it has encoded.
   * @param ordinal that of the first line, for a staging table; the others follow
   */
  encode(plan: JsonPlan, out: ByteBuffer, lines: BlockLines, ordinal: number, limit: number): number {
    const count = this.#take(lines)
    if (count === 0) return 0
    this.#configure(plan)
    const { block, from } = lines
    const [base, entryBytes] = [block.startOf(from), block.stride * 4]
    return this.#output.append(out, (address, end) =>
      this.#exports.encode(count, entryBytes, base, ordinal, limit - out.length, address, end),
    )
  }

  /** Returns memory into which the module encodes without a copy, see `TupleOutput`. */
  takeSlabs(slabBytes: number): Buffer[] {
    return this.#output.takeSlabs(slabBytes)
  }

  /** Copies the first of these lines and their places, as many as there is room for. Returns how many. */
  #take({ block, from, to }: BlockLines): number {
    const { bytes, places, stride } = block
    const start = block.startOf(from)
    const most = Math.min(to, from + Math.floor(this.#table.length / stride))
    const last = partitionPoint(from, most, line => block.endOf(line) - start <= RUN_BYTES)
    if (last === from) return 0
    this.#table.set(places.subarray(from * stride, last * stride))
    this.#memory.set(bytes.subarray(start, block.endOf(last - 1)), this.#exports.INPUT.value)
    return last - from
  }

  #configure(plan: JsonPlan): void {
    if (plan === this.#plan) return
    const { kinds, takes, keys, tupleFields, shape = NO_STAGING } = plan
    const { KINDS, TAKES, KEYS } = this.#exports
    this.#memory.set(kinds, KINDS.value)
    this.#memory.set(takes, TAKES.value)
    new Int32Array(this.#memory.buffer, KEYS.value, keys.length).set(keys)
    this.#exports.configure(kinds.length, tupleFields, shape)
    this.#plan = plan
  }

  get maxColumns(): number {
    return this.#exports.MAX_COLUMNS.value
  }
}
