import type { ParquetType } from 'hyparquet'
import { INT96_WORDS, type StoredBytes, type StoredValues } from '../../../columnar/stored-values.ts'

/**
 * Reads values in the encoding PLAIN, which is the memory of a little-endian machine.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Plain"
 */
export function readPlainValues(
  bytes: Uint8Array,
  from: number,
  count: number,
  type: ParquetType,
  typeLength: number | undefined,
): StoredValues {
  switch (type) {
    case 'INT32':
      return { kind: 'int32', values: new Int32Array(aligned(bytes, from, count * 4)) }
    case 'INT64':
      return { kind: 'int64', values: new BigInt64Array(aligned(bytes, from, count * 8)) }
    case 'INT96':
      return { kind: 'int96', words: new Int32Array(aligned(bytes, from, count * INT96_WORDS * 4)) }
    case 'FLOAT':
      return { kind: 'float32', values: new Float32Array(aligned(bytes, from, count * 4)) }
    case 'DOUBLE':
      return { kind: 'float64', values: new Float64Array(aligned(bytes, from, count * 8)) }
    case 'BOOLEAN':
      return { kind: 'boolean', values: readBits(bytes, from, count) }
    case 'BYTE_ARRAY':
      return readByteArrays(bytes, from, count)
    case 'FIXED_LEN_BYTE_ARRAY':
      return splitFixed(bytesFrom(bytes, from, count * (typeLength ?? 0)), count, typeLength)
  }
}

/** Returns bytes in memory of their own, because a typed array needs an aligned address. */
function aligned(bytes: Uint8Array, from: number, length: number): ArrayBuffer {
  return Uint8Array.prototype.slice.call(bytesFrom(bytes, from, length)).buffer as ArrayBuffer
}

function bytesFrom(bytes: Uint8Array, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw new Error('The values end after their page')
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + from, length)
}

function readBits(bytes: Uint8Array, from: number, count: number): Int32Array {
  const packed = bytesFrom(bytes, from, Math.ceil(count / 8))
  const values = new Int32Array(count)
  for (let i = 0; i < count; i++) values[i] = (packed[i >> 3]! >> (i & 7)) & 1
  return values
}

/** Finds values that follow their lengths. */
function readByteArrays(bytes: Uint8Array, from: number, count: number): StoredBytes {
  const all = bytesFrom(bytes, 0, bytes.length)
  const view = new DataView(all.buffer, all.byteOffset, all.length)
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
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
export function splitFixed(bytes: Buffer, count: number, length: number | undefined): StoredBytes {
  if (!length) throw new Error('A type without a length')
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
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
