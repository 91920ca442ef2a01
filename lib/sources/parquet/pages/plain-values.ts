import { INT96_WORDS, type StoredBytes, type StoredValues } from '../../../columnar/stored-values.ts'
import { type Allocate, allocateWords } from '../../../values/chunk-memory.ts'
import type { PageDecoder } from '../unpack-page.ts'

/** The values of a page, before they are read. */
export interface ValueSection {
  readonly bytes: Uint8Array
  readonly from: number
  readonly count: number
}

/**
 * Reads values in the encoding PLAIN, which is the memory of a little-endian machine.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Plain"
 */
export function readPlainValues(
  section: ValueSection,
  { type, element: { type_length: typeLength } }: Pick<PageDecoder, 'type' | 'element'>,
  allocate: Allocate,
): StoredValues {
  const { bytes, from, count } = section
  /** Copies words of so many bytes, because a typed array needs an aligned address. */
  const copyWords = (length: number): ArrayBuffer => {
    const copy = allocate(length)
    copy.set(bytesFrom(bytes, from, length))
    return copy.buffer
  }
  switch (type) {
    case 'INT32':
      return { kind: 'int32', values: new Int32Array(copyWords(count * 4), 0, count) }
    case 'INT64':
      return { kind: 'int64', values: new BigInt64Array(copyWords(count * 8), 0, count) }
    case 'INT96': {
      const words = count * INT96_WORDS
      return { kind: 'int96', words: new Int32Array(copyWords(words * 4), 0, words) }
    }
    case 'FLOAT':
      return { kind: 'float32', values: new Float32Array(copyWords(count * 4), 0, count) }
    case 'DOUBLE':
      return { kind: 'float64', values: new Float64Array(copyWords(count * 8), 0, count) }
    case 'BOOLEAN':
      return { kind: 'boolean', values: readBits(section, allocate) }
    case 'BYTE_ARRAY':
      return readByteArrays(section, allocate)
    case 'FIXED_LEN_BYTE_ARRAY':
      return splitFixed(bytesFrom(bytes, from, count * (typeLength ?? 0)), count, typeLength, allocate)
  }
}

function bytesFrom(bytes: Uint8Array, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw new Error('The values end after their page')
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + from, length)
}

function readBits({ bytes, from, count }: ValueSection, allocate: Allocate): Int32Array {
  const packed = bytesFrom(bytes, from, Math.ceil(count / 8))
  const values = allocateWords(allocate, count)
  for (let i = 0; i < count; i++) values[i] = (packed[i >> 3]! >> (i & 7)) & 1
  return values
}

/** Finds values that follow their lengths. */
function readByteArrays({ bytes, from, count }: ValueSection, allocate: Allocate): StoredBytes {
  const all = bytesFrom(bytes, 0, bytes.length)
  const view = new DataView(all.buffer, all.byteOffset, all.length)
  const starts = allocateWords(allocate, count)
  const ends = allocateWords(allocate, count)
  let at = from
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(at, true)
    at += 4
    if (length > all.length - at) throw new Error('A value ends after its page')
    starts[i] = at
    at += length
    ends[i] = at
  }
  return { kind: 'bytes', bytes: all, starts, ends }
}

/** Cuts bytes into values of one length. */
export function splitFixed(
  bytes: Buffer,
  count: number,
  length: number | undefined,
  allocate: Allocate,
): StoredBytes {
  if (!length) throw new Error('A type without a length')
  const starts = allocateWords(allocate, count)
  const ends = allocateWords(allocate, count)
  for (let i = 0; i < count; i++) {
    starts[i] = i * length
    ends[i] = (i + 1) * length
  }
  return { kind: 'bytes', bytes, starts, ends }
}

/** Joins values that are apart. */
export function joinBytes(values: readonly Uint8Array[]): StoredBytes {
  const starts = new Int32Array(values.length)
  const ends = new Int32Array(values.length)
  let end = 0
  for (let i = 0; i < values.length; i++) {
    starts[i] = end
    end += values[i]!.length
    ends[i] = end
  }
  return { kind: 'bytes', bytes: Buffer.concat(values, end), starts, ends }
}
