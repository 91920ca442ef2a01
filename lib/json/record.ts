import { holdChunk, releaseChunk } from '../values/chunk-memory.ts'

/** A table of places: for each line its own two numbers, and two for each key. */
export function strideOf(width: number): number {
  return 2 + 2 * width
}

/**
 * Lines of an NDJSON file that are objects, and where each of their values is. They are neither copied nor
 * parsed.
 */
export class JsonBlock {
  readonly bytes: Buffer
  /** The keys of the file so far. The list grows; this block knows the first `width` of them. */
  readonly keys: readonly string[]
  readonly width: number
  /**
   * For each line the indexes in `bytes` where it starts and ends, and then the same for the value of each
   * key. Both are 0 for a key that the line does not have.
   */
  readonly places: Int32Array
  readonly stride: number

  constructor(bytes: Buffer, keys: readonly string[], width: number, places: Int32Array) {
    this.bytes = bytes
    this.keys = keys
    this.width = width
    this.places = places
    this.stride = strideOf(width)
  }

  /** Holds the memory of the block until it is released. */
  hold(): void {
    holdChunk(this.bytes)
    holdChunk(this.places)
  }

  release(): void {
    releaseChunk(this.bytes)
    releaseChunk(this.places)
  }

  /** Returns the index in the bytes where a line begins. */
  startOf(line: number): number {
    return this.places[line * this.stride]!
  }

  /** Returns the index in the bytes where a line ends. */
  endOf(line: number): number {
    return this.places[line * this.stride + 1]!
  }

  /** Returns true if a line has a value, or null, for the key of this index. */
  has(line: number, key: number): boolean {
    return key < this.width && this.places[line * this.stride + 2 + 2 * key] !== 0
  }
}

/** Lines that follow each other in a block: from one index in it to another. */
export interface BlockLines {
  readonly block: JsonBlock
  readonly from: number
  readonly to: number
}

/** Returns how many of these lines have a value, or null, for the key of an index; none has one below 0. */
export function countHaving({ block, from, to }: BlockLines, key: number): number {
  if (key < 0) return 0
  let count = 0
  for (let line = from; line < to; line++) if (block.has(line, key)) count++
  return count
}

/** An object on a line of its own. It is valid JSON, and no string of it has half of a surrogate pair. */
export class JsonRecord {
  readonly block: JsonBlock
  /** Index of the line in the block. */
  readonly index: number
  /** Its number in the input, from 1. */
  readonly number: number

  constructor(block: JsonBlock, index: number, number: number) {
    this.block = block
    this.index = index
    this.number = number
  }

  /** The line among those of its block. */
  get lines(): BlockLines {
    return { block: this.block, from: this.index, to: this.index + 1 }
  }

  /** The length of the line in bytes. */
  get byteLength(): number {
    return this.block.endOf(this.index) - this.block.startOf(this.index)
  }

  /** The text of the line. */
  get text(): string {
    const { block, index } = this
    return block.bytes.toString('utf8', block.startOf(index), block.endOf(index))
  }

  toJSON(): unknown {
    return JSON.parse(this.text)
  }
}
