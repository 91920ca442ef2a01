import { JULIAN_EPOCH } from './calendar.ts'

/**
 * The values of one column as a columnar file stores them, without its NULLs: typed arrays and bytes, because
 * an object for each value would cost more than everything else that is done with it.
 */
export type StoredValues =
  | { readonly kind: 'int32'; readonly values: Int32Array }
  | { readonly kind: 'int64'; readonly values: BigInt64Array }
  | { readonly kind: 'float32'; readonly values: Float32Array }
  | { readonly kind: 'float64'; readonly values: Float64Array }
  /** Zero is false. */
  | { readonly kind: 'boolean'; readonly values: Int32Array }
  /** Nanoseconds of a day, in two words with the lower one first, and the number of the Julian day. */
  | { readonly kind: 'int96'; readonly words: Int32Array }
  | StoredBytes
  | { readonly kind: 'dictionary'; readonly indexes: Indexes; readonly dictionary: Dictionary }
  /** Values that are not stored together, such as lists. */
  | { readonly kind: 'any'; readonly values: ArrayLike<unknown> }

/** Places in a dictionary. A small dictionary needs less memory for them. */
export type Indexes = Uint8Array | Uint16Array | Int32Array

/** Texts and other bytes. A value is the part of `bytes` from its start to its end. */
export interface StoredBytes {
  readonly kind: 'bytes'
  readonly bytes: Buffer
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** The values that a column refers to by their index. */
export class Dictionary {
  readonly values: StoredValues
  readonly length: number
  /** Each value is converted once, because many rows refer to it. */
  readonly #converted: unknown[] = []

  constructor(values: StoredValues) {
    this.values = values
    this.length = lengthOf(values)
  }

  at(index: number, convert: Convert): unknown {
    let value = this.#converted[index]
    if (value === undefined) {
      value = convert(storedAt(this.values, index) as never)
      this.#converted[index] = value
    }
    return value
  }
}

/** Returns the value of a row for a stored one. */
export type Convert = (stored: never) => unknown

export function lengthOf(values: StoredValues): number {
  switch (values.kind) {
    case 'bytes':
      return values.starts.length
    case 'int96':
      return values.words.length / INT96_WORDS
    case 'dictionary':
      return values.indexes.length
    default:
      return values.values.length
  }
}

/**
 * Returns what the values of a page are in. That of a dictionary is not among it, because many pages refer to
 * a dictionary: it is never given back.
 */
export function memoryOf(values: StoredValues): readonly ArrayBufferView[] {
  switch (values.kind) {
    case 'bytes':
      return [values.bytes, values.starts, values.ends]
    case 'int96':
      return [values.words]
    case 'dictionary':
      return [values.indexes]
    case 'any':
      return []
    default:
      return [values.values]
  }
}

/** Returns a value as a number, a bigint, a boolean or bytes. INT96 becomes nanoseconds since 1970. */
export function storedAt(values: StoredValues, index: number): unknown {
  switch (values.kind) {
    case 'bytes':
      return values.bytes.subarray(values.starts[index], values.ends[index])
    case 'boolean':
      return values.values[index] !== 0
    case 'int96':
      return nanosecondsAt(values.words, index)
    case 'dictionary':
      return storedAt(values.dictionary.values, values.indexes[index]!)
    default:
      return values.values[index]
  }
}

export const INT96_WORDS = 3

const DAY_NANOSECONDS = 86_400_000_000_000n

function nanosecondsAt(words: Int32Array, index: number): bigint {
  const at = index * INT96_WORDS
  const ofDay = (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0)
  return BigInt(words[at + 2]! - JULIAN_EPOCH) * DAY_NANOSECONDS + ofDay
}
