import type { Encoding } from 'hyparquet'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { ColumnChunk } from '../../../columnar/block.ts'
import { Dictionary, lengthOf, type StoredValues } from '../../../columnar/stored-values.ts'
import type { Leaf } from '../columns.ts'
import type { PageDecoder, UnpackedPage } from '../unpack-page.ts'
import { checkTexts } from './check-texts.ts'
import { readHybrid } from './hybrid.ts'
import { joinBytes, readPlainValues } from './plain-values.ts'

/** The values of a page, before they are read. */
interface ValueSection {
  readonly bytes: Uint8Array
  readonly from: number
  readonly count: number
}

/** Reads a page of a dictionary. */
export function decodeDictionary(
  { header, bytes }: UnpackedPage,
  decoder: PageDecoder,
  leaf: Leaf,
): Dictionary {
  const count = header.dictionary_page_header?.num_values ?? 0
  const { type, element } = decoder
  return new Dictionary(checked(readPlainValues(bytes, 0, count, type, element.type_length), leaf))
}

/** Reads a data page of a column without lists and structs, whose levels only say what is NULL. */
export function decodeDataPage(
  page: UnpackedPage,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
): ColumnChunk {
  const { data_page_header: v1, data_page_header_v2: v2 } = page.header
  const { num_values: rows, encoding } = (v1 ?? v2)!
  const { bytes } = page
  const optional = decoder.element.repetition_type !== 'REQUIRED'
  let from = v2?.repetition_levels_byte_length ?? 0
  let positions: Int32Array | undefined
  let count = rows
  if (optional) {
    const length = v2 ? v2.definition_levels_byte_length : lengthAt(bytes, from)
    if (!v2) from += 4
    positions = readHybrid(bytes, from, Math.min(from + length, bytes.length), 1, rows)
    count = levelsToPositions(positions)
    from += length
  } else {
    from += v2?.definition_levels_byte_length ?? 0
  }
  const values = readValues({ bytes, from, count }, encoding, decoder, leaf, dictionary)
  if (lengthOf(values) !== count) throw new Error(`A page has ${lengthOf(values)} of ${count} values`)
  return new ColumnChunk(values, leaf.type, count === rows ? undefined : positions)
}

/** Replaces the level of each row by the index of its value, or -1. Returns the number of values. */
function levelsToPositions(levels: Int32Array): number {
  let count = 0
  for (let row = 0; row < levels.length; row++) levels[row] = levels[row] === 0 ? -1 : count++
  return count
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
}

function readValues(
  section: ValueSection,
  encoding: Encoding,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
): StoredValues {
  const { bytes, from, count } = section
  const { type, element } = decoder
  switch (encoding) {
    case 'PLAIN':
      return checked(readPlainValues(bytes, from, count, type, element.type_length), leaf)
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return { kind: 'dictionary', indexes: readIndexes(section, dictionary), dictionary: dictionary! }
    case 'RLE': {
      if (type !== 'BOOLEAN') break
      const start = from + 4
      return { kind: 'boolean', values: readHybrid(bytes, start, bytes.length, 1, count) }
    }
    default:
  }
  return checked(readRare(section, encoding, decoder), leaf)
}

/** @throws Error for an index that the dictionary does not have */
function readIndexes({ bytes, from, count }: ValueSection, dictionary: Dictionary | undefined): Int32Array {
  if (!dictionary) throw new Error('The dictionary is missing')
  if (count === 0) return new Int32Array()
  const width = bytes[from]
  if (width === undefined || width > 32) throw new Error(`Indexes of ${width} bits`)
  const indexes = readHybrid(bytes, from + 1, bytes.length, width, count)
  const { length } = dictionary
  for (let i = 0; i < count; i++) {
    // a negative one is beyond as well
    if (indexes[i]! >>> 0 >= length) throw new Error('A value is missing')
  }
  return indexes
}

/** Reads the encodings of newer files by hyparquet's functions. */
function readRare(
  { bytes, from, count }: ValueSection,
  encoding: Encoding,
  { type, element }: PageDecoder,
): StoredValues {
  const view = new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
  const reader = { view, offset: from }
  if (count === 0) return { kind: 'any', values: [] }
  switch (encoding) {
    case 'DELTA_BINARY_PACKED': {
      if (type === 'INT32') {
        const values = new Int32Array(count)
        deltaBinaryUnpack(reader, count, values)
        return { kind: 'int32', values }
      }
      const values = new BigInt64Array(count)
      deltaBinaryUnpack(reader, count, values)
      return { kind: 'int64', values }
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count)
      const read = encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray
      read(reader, count, values)
      return joinBytes(values)
    }
    case 'BYTE_STREAM_SPLIT':
      return ofArray(byteStreamSplit(reader, count, type, element.type_length))
    default:
      throw new Error(`The encoding ${encoding} is not known`)
  }
}

function ofArray(values: ArrayLike<unknown>): StoredValues {
  if (values instanceof Int32Array) return { kind: 'int32', values }
  if (values instanceof BigInt64Array) return { kind: 'int64', values }
  if (values instanceof Float32Array) return { kind: 'float32', values }
  if (values instanceof Float64Array) return { kind: 'float64', values }
  return joinBytes(values as Uint8Array[])
}

function checked(values: StoredValues, { type }: Leaf): StoredValues {
  if (values.kind === 'bytes') {
    if (type.meaning === 'text' || type.meaning === 'json') checkTexts(values)
    type.check?.(values)
  }
  return values
}
