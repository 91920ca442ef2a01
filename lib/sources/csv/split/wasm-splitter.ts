/** A number of the module. */
interface Exported {
  readonly value: number
}

/** What the module exports; see assembly/index.ts. */
export interface SplitterExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly TABLE: Exported
  readonly INPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly MAX_RECORDS: Exported
  readonly next: Exported
  split(from: number, to: number, delimiter: number, quote: number): number
}

/** A line feed means that fields are never quoted. */
const NO_QUOTE = 0x0a

/**
 * Splits chunks of a CSV file in WebAssembly, in a third of the time. It finds the records that are well
 * formed and end within the chunk, and stops at any other: the splitter in JavaScript takes that one.
 */
export class WasmSplitter {
  /** How many records the last call of `split` has found. */
  count = 0
  /** The index in the chunk after the last of them. */
  next = 0
  readonly #exports: SplitterExports
  readonly #input: Uint8Array
  /** Start, end, and line ends within each record. */
  readonly #table: Int32Array
  /** The bytes of a chunk that the module has. */
  #chunk: Buffer | undefined
  #from = 0
  #to = 0

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: SplitterExports) {
    const { memory, INPUT, INPUT_BYTES, TABLE, MAX_RECORDS } = exports
    this.#exports = exports
    // the memory never grows, so that these views stay valid
    this.#input = new Uint8Array(memory.buffer, INPUT.value, INPUT_BYTES.value)
    this.#table = new Int32Array(memory.buffer, TABLE.value, MAX_RECORDS.value * 3)
  }

  /** Finds records from `at`, where one begins. Returns false if it finds none. */
  split(chunk: Buffer, at: number, delimiter: number, quote: number | undefined): boolean {
    if (chunk !== this.#chunk || at < this.#from || at >= this.#to) this.#load(chunk, at)
    const { split, next } = this.#exports
    this.count = split(at - this.#from, this.#to - this.#from, delimiter, quote ?? NO_QUOTE)
    this.next = this.#from + next.value
    if (this.next === chunk.length) this.#chunk = undefined
    return this.count > 0
  }

  startOf(index: number): number {
    return this.#from + this.#table[index * 3]!
  }

  endOf(index: number): number {
    return this.#from + this.#table[index * 3 + 1]!
  }

  /** Returns how many line ends there are within a record, in quotes. */
  linesWithin(index: number): number {
    return this.#table[index * 3 + 2]!
  }

  #load(chunk: Buffer, at: number): void {
    this.#chunk = chunk
    this.#from = at
    this.#to = Math.min(chunk.length, at + this.#input.length)
    this.#input.set(chunk.subarray(at, this.#to))
  }
}
