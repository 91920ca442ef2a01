import type { Indexes } from '../../../../columnar/stored-values.ts'
import { type Allocate, allocateWords } from '../../../../values/chunk-memory.ts'
import { loadWasm } from '../../../../wasm/load-wasm.ts'

interface Exported {
  readonly value: number
}

/** What the module exports; see assembly/index.ts. */
interface HybridExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly INPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly OUTPUT: Exported
  readonly MAX_VALUES: Exported
  readonly present: Exported
  readIndexes(length: number, width: number, count: number, most: number, bytesEach: number): number
  readPositions(length: number, width: number, count: number, most: number): number
}

/** What is wrong with the bytes, by the numbers of assembly/index.ts. */
const FAULTS = [undefined, 'A run ends after its page', 'A run of no values', 'A value is too high']

/** Integers of a page: `count` of `width` bits each, up to `most`. */
export interface HybridSection {
  readonly bytes: Uint8Array
  readonly from: number
  readonly end: number
  readonly width: number
  readonly count: number
  readonly most: number
}

/** The places of values among NULLs: an index for each row, -1 for NULL. */
export interface Positions {
  readonly positions: Int32Array
  /** How many are not NULL. */
  readonly present: number
}

let loaded: WasmHybrid | undefined

/** Returns the reader in WebAssembly, one for the process; undefined where it is not available. */
export function loadWasmHybrid(): WasmHybrid | undefined {
  const exports = loaded ? undefined : loadWasm(new URL('hybrid.wasm', import.meta.url))
  if (exports) loaded = new WasmHybrid(exports as HybridExports)
  return loaded
}

/**
 * Reads the integers of pages in WebAssembly, in half of the time that JavaScript needs, which has to compile
 * its loop first. Indexes take as few bytes as their dictionary allows, because new memory costs page faults.
 */
export class WasmHybrid {
  readonly #exports: HybridExports
  readonly #input: Uint8Array
  readonly #bytes: Uint8Array
  readonly #pairs: Uint16Array
  readonly #words: Int32Array

  constructor(exports: HybridExports) {
    const { memory, INPUT, INPUT_BYTES, OUTPUT, MAX_VALUES } = exports
    this.#exports = exports
    // the memory never grows, so that these views stay valid
    this.#input = new Uint8Array(memory.buffer, INPUT.value, INPUT_BYTES.value)
    this.#bytes = new Uint8Array(memory.buffer, OUTPUT.value, MAX_VALUES.value)
    this.#pairs = new Uint16Array(memory.buffer, OUTPUT.value, MAX_VALUES.value)
    this.#words = new Int32Array(memory.buffer, OUTPUT.value, MAX_VALUES.value)
  }

  /** Returns undefined for what is left to JavaScript: it is too large, or there is nothing to read. */
  readIndexes(section: HybridSection, allocate: Allocate): Indexes | undefined {
    if (!this.#take(section)) return undefined
    const { from, end, width, count, most } = section
    const bytesEach = most < 1 << 8 ? 1 : most < 1 << 16 ? 2 : 4
    check(this.#exports.readIndexes(end - from, width, count, most, bytesEach))
    const { buffer } = allocate(count * bytesEach)
    if (bytesEach === 1) return copied(this.#bytes, new Uint8Array(buffer, 0, count))
    if (bytesEach === 2) return copied(this.#pairs, new Uint16Array(buffer, 0, count))
    return copied(this.#words, new Int32Array(buffer, 0, count))
  }

  /** Reads levels, of which only the highest has a value. Returns undefined as `readIndexes` does. */
  readPositions(section: HybridSection, allocate: Allocate): Positions | undefined {
    const { from, end, width, count, most } = section
    if (width > 8 || !this.#take(section)) return undefined
    check(this.#exports.readPositions(end - from, width, count, most))
    const positions = copied(this.#words, allocateWords(allocate, count))
    return { positions, present: this.#exports.present.value }
  }

  #take({ bytes, from, end, width, count, most }: HybridSection): boolean {
    if (width === 0 || most < 0 || count > this.#bytes.length || end - from > this.#input.length) return false
    this.#input.set(bytes.subarray(from, end))
    return true
  }
}

/** Copies the first integers. */
function copied<Integers extends Indexes>(from: Integers, to: Integers): Integers {
  to.set(from.subarray(0, to.length))
  return to
}

function check(fault: number): void {
  if (fault > 0) throw new Error(FAULTS[fault])
}
