import type { Encoding } from 'hyparquet'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { ColumnChunk } from '../../../columnar/block.ts'
import { Dictionary, type Indexes, lengthOf, type StoredValues } from '../../../columnar/stored-values.ts'
import type { Leaf } from '../columns.ts'
import type { PageDecoder, UnpackedPage } from '../unpack-page.ts'
import { checkTexts } from './check-texts.ts'
import { bitWidth, isOneRun, readHybrid } from './hybrid.ts'
import { joinBytes, readPlainValues } from './plain-values.ts'
import type { HybridSection, WasmHybrid } from './wasm/wasm-hybrid.ts'

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

/**
 * What a page holds: values, and the levels that say where they belong. Undefined: all definitions are the
 * highest, all repetitions 0.
 */
export interface PageEntries {
  /** The values, NULLs and lists without elements. */
  readonly count: number
  readonly values: StoredValues
  readonly definitions: Int32Array | undefined
  readonly repetitions: Int32Array | undefined
}

/** Reads a data page. */
export function decodeEntries(
  page: UnpackedPage,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
): PageEntries {
  const { count, repetitions, definitions, end } = readLevels(page, leaf)
  const present = definitions ? countOf(definitions, leaf.maxDefinition) : count
  const values = valuesOf(page, end, present, decoder, leaf, dictionary)
  return { count, values, definitions, repetitions }
}

/** The levels of a page, and the index of the byte after them. */
interface Levels extends Omit<PageEntries, 'values'> {
  readonly end: number
}

function readLevels({ header, bytes }: UnpackedPage, { maxRepetition, maxDefinition }: Leaf): Levels {
  const { data_page_header: v1, data_page_header_v2: v2 } = header
  const { num_values: count } = (v1 ?? v2)!
  const section = { bytes, from: 0, count }
  const repetitions = takeLevels(section, maxRepetition, 0, v2?.repetition_levels_byte_length)
  const definitions = takeLevels(section, maxDefinition, maxDefinition, v2?.definition_levels_byte_length)
  return { count, repetitions, definitions, end: section.from }
}

/**
 * Reads levels, and moves past them. They are absent where the highest is 0. Returns undefined where all
 * are the usual one: most pages have one run of it.
 * @param byteLength the length of the levels; undefined: they begin with it, if there are any
 */
function takeLevels(
  section: LevelSection,
  most: number,
  usual: number,
  byteLength: number | undefined,
): Int32Array | undefined {
  const levels = findLevels(section, most, byteLength)
  return levels && !hasOneRun(levels, usual) ? readSection(levels) : undefined
}

/** The levels of a page from the index `from` on. */
interface LevelSection {
  readonly bytes: Uint8Array
  readonly count: number
  from: number
}

/** Moves past levels, and returns where they are; undefined where there are none. */
function findLevels(
  section: LevelSection,
  most: number,
  byteLength: number | undefined,
): HybridSection | undefined {
  const { bytes, count } = section
  if (most > 0 && byteLength === undefined) section.from += LENGTH_BYTES
  const { from } = section
  const length = byteLength ?? (most > 0 ? lengthAt(bytes, from - LENGTH_BYTES) : 0)
  section.from += length
  if (most === 0) return undefined
  return { bytes, from, end: Math.min(from + length, bytes.length), width: bitWidth(most), count, most }
}

function hasOneRun({ bytes, from, end, width, count }: HybridSection, value: number): boolean {
  return isOneRun(bytes, from, end, width, { value, count })
}

function readSection({ bytes, from, end, width, count, most }: HybridSection): Int32Array {
  return readHybrid(bytes, from, end, width, count, most)
}

const LENGTH_BYTES = 4

/** A boolean is true if it is not 0. */
const ANY_BYTE = 0xff

function countOf(levels: Int32Array, wanted: number): number {
  let count = 0
  for (let entry = 0; entry < levels.length; entry++) if (levels[entry] === wanted) count++
  return count
}

/** Reads a data page of a column without lists and structs, whose levels only say what is NULL. */
export function decodeDataPage(
  page: UnpackedPage,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
  hybrid?: WasmHybrid,
): ColumnChunk {
  const { count, positions, present, end } = readPositions(page, leaf, hybrid)
  const values = valuesOf(page, end, present, decoder, leaf, dictionary, hybrid)
  return new ColumnChunk(values, leaf.type, present < count ? positions : undefined)
}

/** The index of each row's value, and the index of the byte after the levels. */
interface RowPositions {
  readonly count: number
  readonly positions: Int32Array | undefined
  readonly present: number
  readonly end: number
}

function readPositions(
  { header, bytes }: UnpackedPage,
  { maxRepetition, maxDefinition }: Leaf,
  hybrid: WasmHybrid | undefined,
): RowPositions {
  const { data_page_header: v1, data_page_header_v2: v2 } = header
  const { num_values: count } = (v1 ?? v2)!
  const section = { bytes, from: 0, count }
  takeLevels(section, maxRepetition, 0, v2?.repetition_levels_byte_length)
  const levels = findLevels(section, maxDefinition, v2?.definition_levels_byte_length)
  const end = section.from
  if (!levels || hasOneRun(levels, maxDefinition)) return { count, positions: undefined, present: count, end }
  const found = hybrid?.readPositions(levels)
  if (found) return { count, ...found, end }
  const positions = readSection(levels)
  return { count, positions, present: makePositions(positions, maxDefinition), end }
}

/** Returns the index of each entry's value, or -1. */
export function positionsOf(definitions: Int32Array, maxDefinition: number): Int32Array {
  const positions = definitions.slice()
  makePositions(positions, maxDefinition)
  return positions
}

/** Replaces the level of each entry by the index of its value, or -1. Returns the number of values. */
function makePositions(levels: Int32Array, maxDefinition: number): number {
  let count = 0
  for (let entry = 0; entry < levels.length; entry++) {
    levels[entry] = levels[entry] === maxDefinition ? count++ : -1
  }
  return count
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
}

/**
 * Reads the values of a page.
 * @param from the index of their first byte
 */
function valuesOf(
  { header, bytes }: UnpackedPage,
  from: number,
  count: number,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
  hybrid?: WasmHybrid,
): StoredValues {
  const { encoding } = (header.data_page_header ?? header.data_page_header_v2)!
  const values = readValues({ bytes, from, count }, encoding, decoder, leaf, dictionary, hybrid)
  if (lengthOf(values) !== count) throw new Error(`A page has ${lengthOf(values)} of ${count} values`)
  return values
}

function readValues(
  section: ValueSection,
  encoding: Encoding,
  decoder: PageDecoder,
  leaf: Leaf,
  dictionary: Dictionary | undefined,
  hybrid: WasmHybrid | undefined,
): StoredValues {
  const { bytes, from, count } = section
  const { type, element } = decoder
  switch (encoding) {
    case 'PLAIN':
      return checked(readPlainValues(bytes, from, count, type, element.type_length), leaf)
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return {
        kind: 'dictionary',
        indexes: readIndexes(section, dictionary, hybrid),
        dictionary: dictionary!,
      }
    case 'RLE': {
      if (type !== 'BOOLEAN') break
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
  dictionary: Dictionary | undefined,
  hybrid: WasmHybrid | undefined,
): Indexes {
  if (!dictionary) throw new Error('The dictionary is missing')
  if (count === 0) return new Int32Array()
  const width = bytes[from]
  if (width === undefined || width > 32) throw new Error(`Indexes of ${width} bits`)
  const end = bytes.length
  const section = { bytes, from: from + 1, end, width, count, most: dictionary.length - 1 }
  return hybrid?.readIndexes(section) ?? readSection(section)
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
