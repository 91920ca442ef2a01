/**
 * Encodes rows of a columnar file as tuples of binary COPY. This is AssemblyScript, which `npm run
 * build:wasm` compiles to WebAssembly with SIMD. It reads what nearly every file holds, and stops at a row
 * with anything else, which JavaScript encodes. Both write the same bytes, which a test compares.
 *
 * The caller copies what some rows need of each column to WINDOW, says at COLUMNS where it is, and finds
 * tuples at OUTPUT. Dictionaries stay in the memory from `heapStart` on.
 */

import { put16, putNull } from '../../../wasm/assembly/fields'
import { FIELD_BYTES, NO_STAGING, putStaging } from '../../../wasm/assembly/values'
import { COLUMN_BYTES, FIRST, INDEXES, POSITIONS } from './column'
import { putStored } from './stored'

export const MAX_COLUMNS: i32 = 1600
export const MAX_ROWS: i32 = 4096
export const WINDOW_BYTES: i32 = 1024 * 1024
/** Room for the tuple of one row after the caller's limit. */
const OUTPUT_BYTES: i32 = 512 * 1024

/** What column.ts describes, for each column. */
export const COLUMNS: usize = memory.data(1600 * 32, 16)
/** The ordinal of each row, for a staging table. */
export const ORDINALS: usize = memory.data(4096 * 4, 16)
export const WINDOW: usize = memory.data(1024 * 1024 + 32, 16)
export const OUTPUT: usize = memory.data(512 * 1024 + 32, 16)

let columnCount: i32 = 0
let tupleFields: i32 = 0
let stagingShape: i32 = NO_STAGING

/** How many bytes the last call of `encode` has written at OUTPUT. */
export let written: i32 = 0

/** Returns the address from which on memory is the caller's. */
export function heapStart(): usize {
  return __heap_base
}

/** Sets the format of the tuples. No staging: shape -1. */
export function configure(columns: i32, fieldsOfTuple: i32, shape: i32): void {
  columnCount = columns
  tupleFields = fieldsOfTuple
  stagingShape = shape
}

/**
 * Encodes rows up to one that it cannot read, or until `limit` bytes are written. Returns how many it has
 * encoded.
 */
export function encode(count: i32, limit: i32): i32 {
  const full = OUTPUT + limit
  // all fields that are not text fit after this address
  const textEnd = OUTPUT + OUTPUT_BYTES - ((tupleFields + 2) as usize) * FIELD_BYTES
  let out = OUTPUT
  let row: i32 = 0
  for (; row < count && out < full; row++) {
    const next = encodeRow(row, out, textEnd)
    if (!next) break
    out =
      stagingShape === NO_STAGING ? next : putStaging(next, load<u32>(ORDINALS + (row << 2)), stagingShape)
  }
  written = (out - OUTPUT) as i32
  return row
}

/** Returns the address after the tuple, or 0. */
function encodeRow(row: i32, out: usize, textEnd: usize): usize {
  out = put16(out, tupleFields)
  const end = COLUMNS + (columnCount as usize) * COLUMN_BYTES
  for (let column = COLUMNS; column < end; column += COLUMN_BYTES) {
    let index = row
    const positions = load<usize>(column, POSITIONS)
    if (positions) {
      index = load<i32>(positions + (row << 2))
      if (index < 0) {
        out = putNull(out)
        continue
      }
      index -= load<i32>(column, FIRST)
    }
    const indexes = load<usize>(column, INDEXES)
    if (indexes) index = load<i32>(indexes + (index << 2))
    out = putStored(column, index, out, textEnd)
    if (!out) return 0
  }
  return out
}
