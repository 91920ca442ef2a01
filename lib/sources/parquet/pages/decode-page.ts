import type { Encoding } from 'hyparquet'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { ColumnChunk } from '../../../columnar/block.ts'
import { Dictionary, type Indexes, lengthOf, type StoredValues } from '../../../columnar/stored-values.ts'
import { type Allocate, allocateNew } from '../../../values/chunk-memory.ts'
import type { Leaf } from '../columns.ts'
import type { PageDecoder, UnpackedPage } from '../unpack-page.ts'
import { checkTexts } from './check-texts.ts'
import { readDeltaInt32 } from './delta-integers.ts'
import { readHybrid } from './hybrid.ts'
import { joinBytes, readPlainValues, type ValueSection } from './plain-values.ts'
import { type Levels, type PageLevels, readLevels, readPositions } from './read-levels.ts'
import type { WasmHybrid } from './wasm/wasm-hybrid.ts'

/** What the pages of a leaf are read with. */
export interface PageContext {
  readonly decoder: PageDecoder
  readonly leaf: Leaf
  readonly dictionary?: Dictionary | undefined
  /** Reads integers; undefined: JavaScript does. */
  readonly hybrid?: WasmHybrid | undefined
  /** For what is read. @default memory that is not used again */
  readonly allocate?: Allocate
}

/** Reads a page of a dictionary. */
export function decodeDictionary(
  { header, bytes }: UnpackedPage,
  { decoder, leaf }: Pick<PageContext, 'decoder' | 'leaf'>,
): Dictionary {
  const count = header.dictionary_page_header?.num_values ?? 0
  return new Dictionary(checked(readPlainValues({ bytes, from: 0, count }, decoder, allocateNew), leaf))
}

/** What a page holds: values, and the levels that say where they belong. */
interface PageEntries extends PageLevels {
  readonly values: StoredValues
}

/** Reads a data page. */
export function decodeEntries(page: UnpackedPage, context: PageContext): PageEntries {
  const { leaf, hybrid, allocate = allocateNew } = context
  const { count, repetitions, definitions, end } = readLevels(page, leaf, hybrid, allocate)
  const present = definitions ? countOf(definitions, leaf.maxDefinition) : count
  return { count, values: valuesOf(page, end, present, context), definitions, repetitions }
}

/** A boolean is true if it is not 0. */
const ANY_BYTE = 0xff

function countOf(levels: Levels, wanted: number): number {
  let count = 0
  for (let entry = 0; entry < levels.length; entry++) if (levels[entry] === wanted) count++
  return count
}

/** Reads a data page of a column without lists and structs, whose levels only say what is NULL. */
export function decodeDataPage(page: UnpackedPage, context: PageContext): ColumnChunk {
  const { leaf, hybrid, allocate = allocateNew } = context
  const { count, positions, present, end } = readPositions(page, leaf, hybrid, allocate)
  const values = valuesOf(page, end, present, context)
  return new ColumnChunk(values, leaf.type, present < count ? positions : undefined)
}

/**
 * Reads the values of a page.
 * @param from the index of their first byte
 */
function valuesOf(
  { header, bytes }: UnpackedPage,
  from: number,
  count: number,
  context: PageContext,
): StoredValues {
  const { encoding } = (header.data_page_header ?? header.data_page_header_v2)!
  const values = readValues({ bytes, from, count }, encoding, context)
  if (lengthOf(values) !== count) throw new Error(`A page has ${lengthOf(values)} of ${count} values`)
  return values
}

function readValues(section: ValueSection, encoding: Encoding, context: PageContext): StoredValues {
  const { bytes, from, count } = section
  const { decoder, leaf, dictionary, allocate = allocateNew } = context
  switch (encoding) {
    case 'PLAIN':
      return checked(readPlainValues(section, decoder, allocate), leaf)
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return { kind: 'dictionary', indexes: readIndexes(section, context), dictionary: dictionary! }
    case 'RLE': {
      if (decoder.type !== 'BOOLEAN') break
      const start = from + 4
      return { kind: 'boolean', values: readHybrid(bytes, start, bytes.length, 1, count, ANY_BYTE) }
    }
    default:
  }
  return checked(readRare(section, encoding, decoder), leaf)
}

/** @throws Error for an index that the dictionary does not have */
function readIndexes(
  { bytes, from, count }: ValueSection,
  { dictionary, hybrid, allocate = allocateNew }: PageContext,
): Indexes {
  if (!dictionary) throw new Error('The dictionary is missing')
  if (count === 0) return new Int32Array()
  const width = bytes[from]
  if (width === undefined || width > 32) throw new Error(`Indexes of ${width} bits`)
  const end = bytes.length
  const most = dictionary.length - 1
  const section = { bytes, from: from + 1, end, width, count, most }
  return hybrid?.readIndexes(section, allocate) ?? readHybrid(bytes, from + 1, end, width, count, most)
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
      if (type === 'INT32') return { kind: 'int32', values: readDeltaInt32(reader, count) }
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
