import type { Indexes } from '../../../columnar/stored-values.ts'
import { type Allocate, allocateWords } from '../../../values/chunk-memory.ts'
import type { Leaf } from '../columns.ts'
import type { UnpackedPage } from '../unpack-page.ts'
import { bitWidth, isOneRun, readHybrid } from './hybrid.ts'
import type { HybridSection, WasmHybrid } from './wasm/wasm-hybrid.ts'

/** One for each entry. Small ones take a byte each. */
export type Levels = Indexes

/** The levels of a page, which say where its values belong. */
export interface PageLevels {
  /** The values, NULLs and lists without elements. */
  readonly count: number
  /** Undefined: all are the highest. */
  readonly definitions: Levels | undefined
  /** Undefined: all are 0. */
  readonly repetitions: Levels | undefined
}

/** Reads the levels of a page. `end` is the index of the byte after them. */
export function readLevels(
  { header, bytes }: UnpackedPage,
  { maxRepetition, maxDefinition }: Leaf,
  hybrid: WasmHybrid | undefined,
  allocate: Allocate,
): PageLevels & { readonly end: number } {
  const { data_page_header: v1, data_page_header_v2: v2 } = header
  const { num_values: count } = (v1 ?? v2)!
  const section = { bytes, from: 0, count }
  /** Moves past levels. Undefined: all are the usual one; most pages have one run of it. */
  const take = (most: number, usual: number, byteLength: number | undefined): Levels | undefined => {
    const levels = findLevels(section, most, byteLength)
    if (!levels || hasOneRun(levels, usual)) return undefined
    return hybrid?.readIndexes(levels, allocate) ?? readSection(levels)
  }
  const repetitions = take(maxRepetition, 0, v2?.repetition_levels_byte_length)
  const definitions = take(maxDefinition, maxDefinition, v2?.definition_levels_byte_length)
  return { count, repetitions, definitions, end: section.from }
}

/** The index of each row's value, and the index of the byte after the levels. */
interface RowPositions {
  readonly count: number
  readonly positions: Int32Array | undefined
  readonly present: number
  readonly end: number
}

/** Reads the levels of a column without lists and structs, which only say what is NULL. */
export function readPositions(
  { header, bytes }: UnpackedPage,
  { maxRepetition, maxDefinition }: Leaf,
  hybrid: WasmHybrid | undefined,
  allocate: Allocate,
): RowPositions {
  const { data_page_header: v1, data_page_header_v2: v2 } = header
  const { num_values: count } = (v1 ?? v2)!
  const section = { bytes, from: 0, count }
  findLevels(section, maxRepetition, v2?.repetition_levels_byte_length)
  const levels = findLevels(section, maxDefinition, v2?.definition_levels_byte_length)
  const end = section.from
  if (!levels || hasOneRun(levels, maxDefinition)) return { count, positions: undefined, present: count, end }
  const found = hybrid?.readPositions(levels, allocate)
  if (found) return { count, ...found, end }
  const positions = readSection(levels)
  return { count, positions, present: makePositions(positions, maxDefinition, positions), end }
}

/** The levels of a page from the index `from` on. */
interface LevelSection {
  readonly bytes: Uint8Array
  readonly count: number
  from: number
}

/**
 * Moves past levels, and returns where they are; undefined where there are none, because the highest is 0.
 * @param byteLength the length of the levels; undefined: they begin with it, if there are any
 */
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

const LENGTH_BYTES = 4

function lengthAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
}

function hasOneRun({ bytes, from, end, width, count }: HybridSection, value: number): boolean {
  return isOneRun(bytes, from, end, width, { value, count })
}

function readSection({ bytes, from, end, width, count, most }: HybridSection): Int32Array {
  return readHybrid(bytes, from, end, width, count, most)
}

/** Returns the index of each entry's value, or -1. */
export function positionsOf(definitions: Levels, maxDefinition: number, allocate: Allocate): Int32Array {
  const positions = allocateWords(allocate, definitions.length)
  makePositions(definitions, maxDefinition, positions)
  return positions
}

/**
 * Writes the index of each entry's value, or -1. Returns the number of values.
 * @param positions where they are written; may be the levels themselves
 */
function makePositions(levels: Levels, maxDefinition: number, positions: Int32Array): number {
  let count = 0
  for (let entry = 0; entry < levels.length; entry++) {
    positions[entry] = levels[entry] === maxDefinition ? count++ : -1
  }
  return count
}
