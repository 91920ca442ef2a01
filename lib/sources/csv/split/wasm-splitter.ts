import { PLACE_NUMBERS } from '../../../csv/record-table.ts'

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
  readonly lineEnds: Exported
  readonly blanks: Exported
  split(from: number, to: number, delimiter: number, quote: number): number
}

/** Records that follow each other in a chunk, and are well formed. */
export interface FoundRecords {
  /** Start, end, and the line ends before each record, from the first one on. */
  readonly places: Uint32Array
  count: number
  /** The index in the chunk from which starts and ends count. */
  shift: number
  /** The lines of all of them. */
  lines: number
  /** How many of them are blank lines. */
  blanks: number
}

/** A line feed means that fields are never quoted. */
const NO_QUOTE = 0x0a

/**
 * Splits chunks of a CSV file in WebAssembly, in a third of the time. It finds the records that are well
 * formed and end within the chunk, and stops at any other: the splitter in JavaScript takes that one.
 */
export class WasmSplitter {
  /** The records that the last call of `split` has found. They are valid until its next call. */
  readonly found: FoundRecords
  /** The index in the chunk after the last of them. */
  next = 0
  readonly #exports: SplitterExports
  readonly #input: Uint8Array
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
    const places = new Uint32Array(memory.buffer, TABLE.value, MAX_RECORDS.value * PLACE_NUMBERS)
    this.found = { places, count: 0, shift: 0, lines: 0, blanks: 0 }
  }

  /** Finds records from `at`, where one begins. Returns false if it finds none. */
  split(chunk: Buffer, at: number, delimiter: number, quote: number | undefined): boolean {
    if (chunk !== this.#chunk || at < this.#from || at >= this.#to) this.#load(chunk, at)
    const { split, next, lineEnds, blanks } = this.#exports
    const { found } = this
    found.count = split(at - this.#from, this.#to - this.#from, delimiter, quote ?? NO_QUOTE)
    found.shift = this.#from
    found.lines = lineEnds.value
    found.blanks = blanks.value
    this.next = this.#from + next.value
    if (this.next === chunk.length) this.#chunk = undefined
    return found.count > 0
  }

  #load(chunk: Buffer, at: number): void {
    this.#chunk = chunk
    this.#from = at
    this.#to = Math.min(chunk.length, at + this.#input.length)
    this.#input.set(chunk.subarray(at, this.#to))
  }
}
