import type { ColumnChunk } from '../../../columnar/block.ts'
import { INT96_WORDS, type Indexes, type StoredBytes } from '../../../columnar/stored-values.ts'
import { type Exported, NO_STAGING } from '../../wasm/module.ts'
import { tupleFieldsOf } from '../../wire/binary-format.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import { DictionaryMemory, type DictionaryPlace, type WasmMemory } from './dictionary-memory.ts'
import type { StoredKind } from './stored-kind.ts'

/** What the module exports; see assembly/index.ts. */
export interface BlockEncoderExports {
  readonly memory: WasmMemory
  readonly COLUMNS: Exported
  readonly ORDINALS: Exported
  readonly WINDOW: Exported
  readonly OUTPUT: Exported
  readonly WINDOW_BYTES: Exported
  readonly MAX_COLUMNS: Exported
  readonly written: Exported
  heapStart(): number
  configure(columns: number, tupleFields: number, shape: number): void
  encode(count: number, limit: number): number
}

/** Some rows of one column: from row `start` on. */
export interface WasmColumn extends Pick<ColumnChunk, 'values' | 'positions'> {
  readonly start: number
  readonly count: number
  readonly kind: StoredKind
}

/** Consecutive rows of a block. */
export interface WasmRun {
  readonly columns: readonly WasmColumn[]
  /** For a staging table: the number of the rows' shape, and the ordinal of each. */
  readonly staging: { readonly shape: number; readonly ordinalOf: (row: number) => number } | undefined
}

/** The numbers of a column at COLUMNS, and the index of each. The order is that of assembly/column.ts. */
const NUMBERS = 8
const KIND = 0
const DETAIL = 1
const POSITIONS = 2
const INDEXES = 3
const VALUES = 4
const STARTS = 5
const ENDS = 6
const INDEX_BYTES = 7

const WORD_BYTES = 4

/** Copies begin at multiples of this, because words are read from them. */
const ALIGNMENT = 8

/**
 * The encoder of blocks in WebAssembly. One instance serves all COPYs of a process, because a call never
 * waits. It gets copies of what some rows need: pages stay where they are, and memory stays small.
 */
export class BlockEncoder {
  readonly #exports: BlockEncoderExports
  readonly #dictionaries: DictionaryMemory
  readonly #windowEnd: number
  /** The memory; made anew when it has grown. */
  #memory = Buffer.alloc(0)
  #words = new Int32Array()
  /** The end of what is at WINDOW. */
  #used = 0
  #isFull = false

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: BlockEncoderExports) {
    this.#exports = exports
    this.#dictionaries = new DictionaryMemory(exports.memory, exports.heapStart())
    this.#windowEnd = exports.WINDOW.value + exports.WINDOW_BYTES.value
  }

  /**
   * Appends the tuples of rows until `out` has `limit` bytes or a row comes that only JavaScript encodes.
   * Returns how many it has appended.
   */
  encode(run: WasmRun, out: ByteBuffer, limit: number): number {
    const places = this.#dictionaries.placesOf(run.columns)
    if (!places) return 0
    this.#renewViews()
    let count = Math.min(...run.columns.map(column => column.count))
    while (count > 0 && !this.#loadColumns(run, places, count)) count >>= 1
    if (count === 0) return 0
    this.#configure(run, count)
    const encoded = this.#exports.encode(count, limit - out.length)
    const output = this.#exports.OUTPUT.value
    out.putBytes(this.#memory.subarray(output, output + this.#exports.written.value))
    return encoded
  }

  get maxColumns(): number {
    return this.#exports.MAX_COLUMNS.value
  }

  #renewViews(): void {
    const { buffer } = this.#exports.memory
    if (this.#memory.buffer === buffer) return
    this.#memory = Buffer.from(buffer)
    this.#words = new Int32Array(buffer)
  }

  #configure({ columns, staging }: WasmRun, count: number): void {
    if (staging) {
      const at = this.#exports.ORDINALS.value / 4
      for (let row = 0; row < count; row++) this.#words[at + row] = staging.ordinalOf(row)
    }
    const shape = staging?.shape ?? NO_STAGING
    this.#exports.configure(columns.length, tupleFieldsOf(columns.length, staging), shape)
  }

  /** Copies what the rows need. Returns false if there is no room for so many. */
  #loadColumns({ columns }: WasmRun, places: readonly DictionaryPlace[], count: number): boolean {
    this.#used = this.#exports.WINDOW.value
    this.#isFull = false
    let at = this.#exports.COLUMNS.value / 4
    for (let index = 0; index < columns.length && !this.#isFull; index++, at += NUMBERS) {
      this.#loadColumn(columns[index]!, places[index]!, count, at)
    }
    return !this.#isFull
  }

  /** @param at the index of the column's numbers */
  #loadColumn(column: WasmColumn, place: DictionaryPlace, count: number, at: number): void {
    const { values, positions, start, kind } = column
    const words = this.#words
    words[at + KIND] = kind.kind
    words[at + DETAIL] = kind.detail
    words[at + INDEX_BYTES] = values.kind === 'dictionary' ? values.indexes.BYTES_PER_ELEMENT : 0
    words[at + POSITIONS] = positions ? this.#copy(positions, start, start + count) : 0
    const first = positions ? firstValue(positions, start, start + count) : start
    const next = positions ? afterLastValue(positions, start, start + count) : start + count
    // positions are indexes of all values, of which those from `first` on are copied
    const before = positions ? first : 0
    if (values.kind === 'dictionary') {
      const { indexes } = values
      words[at + INDEXES] = this.#copy(indexes, first, next) - before * indexes.BYTES_PER_ELEMENT
      words[at + VALUES] = place.values
      words[at + STARTS] = place.starts
      words[at + ENDS] = place.ends
      return
    }
    if (values.kind === 'bytes') this.#loadBytes(values, first, next, before, at)
    else if (values.kind === 'int96') {
      const copy = this.#copy(values.words, first * INT96_WORDS, next * INT96_WORDS)
      words[at + VALUES] = copy - before * INT96_WORDS * WORD_BYTES
    } else if (values.kind !== 'any') {
      words[at + VALUES] = this.#copy(values.values, first, next) - before * values.values.BYTES_PER_ELEMENT
    }
  }

  #loadBytes(
    { bytes, starts, ends }: StoredBytes,
    first: number,
    next: number,
    before: number,
    at: number,
  ): void {
    if (next <= first) return
    const from = starts[first]!
    const to = Math.max(starts[next - 1]!, ends[next - 1]!) // one that is refused ends before it starts
    const address = this.#take(to - from)
    if (!this.#isFull) bytes.copy(this.#memory, address, from, to)
    this.#words[at + VALUES] = address - from
    this.#words[at + STARTS] = this.#copy(starts, first, next) - before * WORD_BYTES
    this.#words[at + ENDS] = this.#copy(ends, first, next) - before * WORD_BYTES
  }

  /** Returns the address of the copy. */
  #copy(values: FixedArray, from: number, to: number): number {
    const { BYTES_PER_ELEMENT: width, buffer, byteOffset } = values
    const length = Math.max(0, to - from) * width
    const address = this.#take(length)
    if (!this.#isFull) this.#memory.set(new Uint8Array(buffer, byteOffset + from * width, length), address)
    return address
  }

  /** Returns the address of so many bytes at WINDOW, unless it is full. */
  #take(bytes: number): number {
    const address = this.#used
    this.#used = Math.ceil((address + bytes) / ALIGNMENT) * ALIGNMENT
    if (this.#used > this.#windowEnd) this.#isFull = true
    return address
  }
}

type FixedArray = Indexes | BigInt64Array | Float32Array | Float64Array

/** Returns the index of the first value of these rows; 0 if all are NULL. */
function firstValue(positions: Int32Array, from: number, to: number): number {
  while (from < to && positions[from]! < 0) from++
  return from < to ? positions[from]! : 0
}

function afterLastValue(positions: Int32Array, from: number, to: number): number {
  while (to > from && positions[to - 1]! < 0) to--
  return to > from ? positions[to - 1]! + 1 : 0
}
