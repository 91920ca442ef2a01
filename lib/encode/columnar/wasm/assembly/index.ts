/**
 * Encodes rows of a columnar file as tuples of binary COPY. This is AssemblyScript, which `npm run
 * build:wasm` compiles to WebAssembly with SIMD. It reads what nearly every file holds, and stops at a row
 * with anything else, which JavaScript encodes. Both write the same bytes, which a test compares.
 *
 * The caller copies what some rows need of each column to WINDOW, says at COLUMNS where it is, and finds
 * tuples at OUTPUT. Dictionaries stay in the memory from `heapStart` on.
 *
 * The sizes of all tuples say where each one begins. Then one column after the other is written to its
 * places: a processor foresees what a loop over one column does, and not what each next field of a row is.
 */

import { put16 } from '../../../wasm/assembly/fields'
import { NO_STAGING, putStaging, STAGING_BYTES } from '../../../wasm/assembly/values'
import { COLUMN_BYTES, Column } from './column'
import { SIZES, sizeRows } from './sizes'
import { putColumn } from './stored'

export const MAX_COLUMNS: i32 = 1600
export const WINDOW_BYTES: i32 = 1024 * 1024
/** Room for the tuple of one row after the caller's limit. */
const OUTPUT_BYTES: i32 = 512 * 1024
const COUNT_BYTES: i32 = 2

/** What column.ts describes, for each column. */
export const COLUMNS: usize = memory.data(1600 * 32, 16)
/** The ordinal of each row, for a staging table. */
export const ORDINALS: usize = memory.data(4096 * 4, 16)
export const WINDOW: usize = memory.data(1024 * 1024 + 32, 16)
export const OUTPUT: usize = memory.data(512 * 1024 + 32, 16)
/** Where each row's next field goes. */
const PLACES: usize = memory.data(4096 * 4, 16)

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
  const end = COLUMNS + (columnCount as usize) * COLUMN_BYTES
  const base = stagingShape === NO_STAGING ? COUNT_BYTES : COUNT_BYTES + STAGING_BYTES
  count = beginTuples(sizeRows(COLUMNS, end, count, base, OUTPUT_BYTES), limit)
  for (let at = COLUMNS; at < end; at += COLUMN_BYTES) {
    count = putColumn(changetype<Column>(at), count, PLACES)
  }
  if (stagingShape !== NO_STAGING) endTuples(count)
  written = 0
  for (let row = 0; row < count; row++) written += load<i32>(SIZES + (row << 2))
  return count
}

/** Finds where the tuples begin, and returns how many begin within `limit` and fit. */
function beginTuples(count: i32, limit: i32): i32 {
  let length: i32 = 0
  let row = 0
  for (; row < count && length < limit; row++) {
    const size = load<i32>(SIZES + (row << 2))
    if (size > OUTPUT_BYTES - length) break
    store<usize>(PLACES + (row << 2), put16(OUTPUT + length, tupleFields))
    length += size
  }
  return row
}

function endTuples(count: i32): void {
  for (let at: usize = 0, end = (count as usize) << 2; at < end; at += 4) {
    putStaging(load<usize>(PLACES + at), load<u32>(ORDINALS + at), stagingShape)
  }
}
