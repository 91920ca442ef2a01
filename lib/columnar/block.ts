import { holdChunk, releaseChunk } from '../values/chunk-memory.ts'
import { type Convert, memoryOf, type StoredValues, storedAt } from './stored-values.ts'

/**
 * What stored values mean, where bytes of COPY can be made of them without a value in between. `itself`: the
 * stored number or boolean is the value. `json` is JSON as text, which only columns of JSON have as it is in
 * the file. All else is `other`.
 */
export type Meaning = NamedMeaning | { readonly decimals: number } | TimestampMeaning

type NamedMeaning = 'itself' | 'text' | 'json' | 'bytes' | 'date' | 'uuid' | 'other'

export interface TimestampMeaning {
  /** The decimals of a second in the unit of the stored integers. */
  readonly digits: 3 | 6 | 9
  /** The times count from 1970 in UTC. Otherwise they are local times. */
  readonly utc: boolean
}

/** Values of one column for consecutive rows: what a page of a file holds. */
export class ColumnChunk {
  readonly values: StoredValues
  /** For each row the index of its value; -1: NULL. Undefined: no row is NULL. */
  readonly positions: Int32Array | undefined
  readonly meaning: Meaning
  readonly #convert: Convert
  readonly #memory: readonly ArrayBufferView[]
  #holders = 0

  constructor(
    values: StoredValues,
    { convert, meaning }: { readonly convert: Convert; readonly meaning: Meaning },
    positions?: Int32Array,
  ) {
    this.values = values
    this.positions = positions
    this.meaning = meaning
    this.#convert = convert
    this.#memory = positions ? [positions, ...memoryOf(values)] : memoryOf(values)
  }

  /** Keeps the memory of the values from being used again, until they are released. */
  hold(): void {
    if (this.#holders++ === 0) for (const part of this.#memory) holdChunk(part)
  }

  release(): void {
    if (--this.#holders === 0) for (const part of this.#memory) releaseChunk(part)
  }

  /** Returns the value of a row, or null. */
  at(row: number): unknown {
    const index = this.positions ? this.positions[row]! : row
    return index < 0 ? null : this.convertedAt(index)
  }

  /** Returns the value with this index as the value of a row. */
  convertedAt(index: number): unknown {
    const { values } = this
    return values.kind === 'dictionary'
      ? values.dictionary.at(values.indexes[index]!, this.#convert)
      : this.#convert(storedAt(values, index) as never)
  }

  /** Returns the value with this index of the dictionary as the value of a row. */
  convertedEntry(index: number): unknown {
    const { values } = this
    return values.kind === 'dictionary' ? values.dictionary.at(index, this.#convert) : undefined
  }
}

/** A column of a block. Row 0 of the block is row `start` of the chunk. */
export interface BlockColumn {
  readonly chunk: ColumnChunk
  readonly start: number
}

/** Some consecutive rows of a file, column by column. */
export interface Block {
  readonly length: number
  readonly columns: readonly BlockColumn[]
}

export function holdBlock({ columns }: Block): void {
  for (const { chunk } of columns) chunk.hold()
}

export function releaseBlock({ columns }: Block): void {
  for (const { chunk } of columns) chunk.release()
}

/** Returns the value of a block's row in a column. */
export function valueAt(block: Block, column: number, row: number): unknown {
  const { chunk, start } = block.columns[column]!
  return chunk.at(start + row)
}
