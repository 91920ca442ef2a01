/**
 * Lines of an NDJSON file that are objects, and where each of their values is. They are neither copied nor
 * parsed.
 */
export interface JsonBlock {
  readonly bytes: Buffer
  /** The keys of the file so far. The list grows; this block knows the first `width` of them. */
  readonly keys: readonly string[]
  readonly width: number
  /**
   * For each line the indexes in `bytes` where it starts and ends, and then the same for the value of each
   * key. Both are 0 for a key that the line does not have.
   */
  readonly table: Int32Array
}

/** The numbers of a line in a table: its own two, and two for each key. */
export function strideOf(width: number): number {
  return 2 + 2 * width
}

/** An object on a line of its own. It is valid JSON, and no string of it has half of a surrogate pair. */
export class JsonRecord {
  readonly block: JsonBlock
  /** Index of the line in the block. */
  readonly index: number
  /** Its number in the input, from 1; the reader of the input sets it. */
  number = 0

  constructor(block: JsonBlock, index: number) {
    this.block = block
    this.index = index
  }

  /** Returns true if the line has a value, or null, for the key of this index. */
  has(key: number): boolean {
    const { table, width } = this.block
    return key < width && table[this.index * strideOf(width) + 2 + 2 * key] !== 0
  }

  /** The index in the block's bytes where the object begins. */
  get start(): number {
    const { table, width } = this.block
    return table[this.index * strideOf(width)]!
  }

  /** The length of the line in bytes. */
  get byteLength(): number {
    const { table, width } = this.block
    const entry = this.index * strideOf(width)
    return table[entry + 1]! - table[entry]!
  }

  /** The text of the line. */
  get text(): string {
    const { bytes, table, width } = this.block
    const entry = this.index * strideOf(width)
    return bytes.toString('utf8', table[entry], table[entry + 1])
  }

  toJSON(): unknown {
    return JSON.parse(this.text)
  }
}
