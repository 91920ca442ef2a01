import { JsonBlock, strideOf } from '../../../json/record.ts'
import { allocateWords, ChunkMemory } from '../../../values/chunk-memory.ts'
import { LINE_FEED } from '../../../values/text/ascii.ts'
import { loadWasm } from '../../../wasm/load-wasm.ts'

/** A number of the module. */
interface Exported {
  readonly value: number
}

/** What the module exports; see assembly/index.ts. */
interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly KEYS: Exported
  readonly KEY_LENGTHS: Exported
  readonly KEY_BYTES: Exported
  readonly MAX_KEYS: Exported
  readonly TABLE: Exported
  readonly INPUT: Exported
  readonly INPUT_BYTES: Exported
  readonly next: Exported
  readonly lines: Exported
  scan(from: number, to: number, isWhole: number, keys: number, base: number): number
}

/** Keys that are written with an escape are not found by their bytes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: in JSON such characters are written as escapes
const ESCAPED = /["\\\u0000-\u001f]/

/**
 * Finds the lines of an NDJSON file in WebAssembly that are objects with known keys, and stops at any other
 * line. A file needs a scanner of its own.
 */
export class LineScanner {
  /** How many lines the last call of `scan` has found. */
  count = 0
  /** The lines that it has passed, with the blank ones. */
  lines = 0
  /** The index in the bytes after them. */
  next = 0
  readonly #exports: ScannerExports
  readonly #memory: Uint8Array
  readonly #table: Int32Array
  readonly #places = new ChunkMemory()
  readonly #keys: string[] = []
  readonly #known = new Set<string>()
  /** The bytes that the module has, from one index to another. */
  #loaded: Buffer | undefined
  #from = 0
  #to = 0

  /** @param exports those of an instance that nothing else uses */
  constructor(exports: ScannerExports) {
    this.#exports = exports
    const { buffer } = exports.memory
    // the memory never grows, so that these views stay valid
    this.#memory = new Uint8Array(buffer)
    this.#table = new Int32Array(buffer, exports.TABLE.value)
  }

  /**
   * Adds the keys of a line that was parsed, so that lines with them are found. Returns true if one is new.
   */
  addKeys(row: object): boolean {
    const before = this.#keys.length
    for (const key of Object.keys(row)) if (!this.#known.has(key)) this.#add(key)
    return this.#keys.length > before
  }

  #add(key: string): void {
    const { KEYS, KEY_BYTES, KEY_LENGTHS, MAX_KEYS } = this.#exports
    const bytes = Buffer.from(`${key}"`)
    const isFull = this.#keys.length === MAX_KEYS.value || bytes.length > KEY_BYTES.value
    if (isFull || ESCAPED.test(key) || key === '__proto__') return
    this.#memory.set(bytes, KEYS.value + this.#keys.length * KEY_BYTES.value)
    this.#memory[KEY_LENGTHS.value + this.#keys.length] = bytes.length
    this.#known.add(key)
    this.#keys.push(key)
  }

  /**
   * Finds lines from `at`, where one begins, to the end of the bytes, where one ends. Returns undefined if it
   * finds none.
   */
  scan(bytes: Buffer, at: number): JsonBlock | undefined {
    const isLoaded = bytes === this.#loaded && at >= this.#from && at < this.#to
    if (!isLoaded) this.#load(bytes, at)
    this.#find(bytes, at)
    // the line may be whole in another part of the bytes
    if (this.count === 0 && this.next === at && isLoaded && this.#to < bytes.length) {
      this.#load(bytes, at)
      this.#find(bytes, at)
    }
    if (this.next >= bytes.length) this.#loaded = undefined
    if (this.count === 0) return undefined
    const width = this.#keys.length
    return new JsonBlock(bytes, this.#keys, width, this.#copyPlaces(this.count * strideOf(width)))
  }

  /** Returns a copy of the places of the lines that were found. Its memory is used again. */
  #copyPlaces(numbers: number): Int32Array {
    const places = this.#table.subarray(0, numbers)
    const copy = allocateWords(this.#places.allocate, numbers)
    copy.set(places)
    return copy
  }

  #find(bytes: Buffer, at: number): void {
    const { scan, next, lines } = this.#exports
    const isWhole = this.#to === bytes.length ? 1 : 0
    this.count = scan(at - this.#from, this.#to - this.#from, isWhole, this.#keys.length, this.#from)
    this.next = this.#from + next.value
    this.lines = lines.value
  }

  #load(bytes: Buffer, at: number): void {
    const { INPUT, INPUT_BYTES } = this.#exports
    this.#loaded = bytes
    this.#from = at
    this.#to = Math.min(bytes.length, at + INPUT_BYTES.value)
    this.#memory.set(bytes.subarray(at, this.#to), INPUT.value)
    this.#memory[INPUT.value + this.#to - at] = LINE_FEED
  }
}

/** Returns a scanner in WebAssembly for one file; undefined where that is not available. */
export function loadLineScanner(): LineScanner | undefined {
  const exports = loadWasm(new URL('json-lines.wasm', import.meta.url))
  return exports ? new LineScanner(exports as ScannerExports) : undefined
}
