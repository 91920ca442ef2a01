/**
 * Encodes lines of an NDJSON file as tuples of binary COPY. This is AssemblyScript, which `npm run
 * build:wasm` compiles to WebAssembly with SIMD. Where the values are was found before. It reads what nearly
 * every file holds, and stops at a line with anything else, which JavaScript parses and encodes. Both write
 * the same bytes, which a test compares.
 *
 * The caller puts lines at INPUT and where their values are into TABLE, and finds tuples where it says.
 */

import { BACKSLASH, LOWER_N, QUOTE } from '../../../../values/text/ascii'
import { put16, putNull } from '../../../wasm/assembly/fields'
import { copyUntil, find } from '../../../wasm/assembly/texts'
import {
  closeText,
  JSONB,
  maxTupleBytes,
  NO_STAGING,
  openText,
  putStaging,
  putValue,
  SKIPPED,
  TEXT,
} from '../../../wasm/assembly/values'
import { unescapeText } from './strings'

export const MAX_COLUMNS: i32 = 1600
export const TABLE_BYTES: i32 = 256 * 1024
/** Room for the tuple of one record after the caller's limit. */
export const OUTPUT_BYTES: i32 = 512 * 1024
/** Memory that the caller divides, see `encode`. */
export const SLAB_BYTES: i32 = 13 * 1024 * 1024
/** What is copied in blocks may end so many bytes later. */
const PAST_END: usize = 32

/** The kind of each column, a byte each. */
export const KINDS: usize = memory.data(1600)
/** What each column takes, a byte each. The numbers are those of `TAKES` in json-types.ts. */
export const TAKES: usize = memory.data(1600)
/** The index of each column's key, four bytes each; below 0 for a column without one. */
export const KEYS: usize = memory.data(1600 * 4, 16)
/** For each record the numbers that `JsonBlock.places` has. */
export const TABLE: usize = memory.data(256 * 1024, 16)
export const INPUT: usize = memory.data(128 * 1024 + 32, 16)
export const OUTPUT: usize = memory.data(512 * 1024, 16)
export const SLABS: usize = memory.data(13 * 1024 * 1024, 16)

/** Only values of the column's type. A string is written without its quotes. */
const TAKES_VALUES = 0
/** Any value as JSON: strings keep their quotes. The number between these two takes any value as text. */
const TAKES_JSON = 2

/** No byte of UTF-8. */
const NONE = 0xff

let columnCount: i32 = 0
let tupleFields: i32 = 0
/** The most bytes that a tuple has beyond those of its line. */
let tupleBytes: usize = 0
let stagingShape: i32 = NO_STAGING

/** How many bytes the last call of `encode` has written. */
export let written: i32 = 0

/** Sets the format of the tuples. The columns are at KINDS, TAKES and KEYS. No staging: shape -1. */
export function configure(columns: i32, fieldsOfTuple: i32, shape: i32): void {
  columnCount = columns
  tupleFields = fieldsOfTuple
  tupleBytes = maxTupleBytes(fieldsOfTuple)
  stagingShape = shape
}

/**
 * Encodes records up to one that it cannot read, or until `limit` bytes are written. Returns how many it has
 * encoded.
 * @param entryBytes the bytes of an entry in TABLE
 * @param base the index that the first byte at INPUT has in TABLE
 * @param ordinal that of the first record, for a staging table; the others follow
 * @param output where the tuples go, at OUTPUT or within SLABS
 * @param outputEnd the address after the last byte that may be written
 */
export function encode(
  count: i32,
  entryBytes: i32,
  base: i32,
  ordinal: i32,
  limit: i32,
  output: usize,
  outputEnd: usize,
): i32 {
  const input = INPUT - base
  const full = output + limit
  const last = outputEnd - PAST_END
  let out = output
  let entry = TABLE
  let record: i32 = 0
  for (; record < count && out < full; record++, entry += entryBytes) {
    const length = load<u32>(entry, 4) - load<u32>(entry)
    if (out + length + tupleBytes > last) break
    const next = encodeRecord(input, entry + 8, out)
    if (!next) break
    out = stagingShape === NO_STAGING ? next : putStaging(next, ordinal + record, stagingShape)
  }
  written = (out - output) as i32
  return record
}

/** Returns the address after the tuple, or 0. */
function encodeRecord(input: usize, places: usize, out: usize): usize {
  out = put16(out, tupleFields)
  for (let column = 0; column < columnCount; column++) {
    const key = load<i32>(KEYS + (column << 2))
    const place = places + (key << 3)
    const start: usize = key < 0 ? 0 : load<u32>(place)
    if (start) out = putMember(column, input + start, input + load<u32>(place, 4), out)
    else out = putNull(out)
    if (!out) return 0
  }
  return out
}

/** Writes the value from `at` to `end` as the field of a column. */
function putMember(column: i32, at: usize, end: usize, out: usize): usize {
  const kind: i32 = load<u8>(KINDS + column)
  const takes: i32 = load<u8>(TAKES + column)
  const first = load<u8>(at)
  if (first === LOWER_N) return putNull(out)
  if (kind === SKIPPED) return 0
  if (first === QUOTE) return putString(kind, takes, at, end, out)
  if (takes !== TAKES_VALUES) return putToken(kind, at, end, out)
  return kind === TEXT || kind === JSONB ? 0 : putValue(kind, at, end, out)
}

/** Writes a string. Its quotes are part of it. */
function putString(kind: i32, takes: i32, at: usize, end: usize, out: usize): usize {
  if (takes === TAKES_JSON) return find(BACKSLASH, at, end) === end ? putToken(kind, at, end, out) : 0
  if (kind !== TEXT) return end - at > 2 ? putValue(kind, at + 1, end - 1, out) : 0
  const stop = unescapeText(at + 1, end - 1, openText(kind, out))
  if (stop) closeText(out, stop)
  return stop
}

/** Writes a value as it is in the file. */
function putToken(kind: i32, at: usize, end: usize, out: usize): usize {
  const stop = copyUntil(NONE, at, end, openText(kind, out))
  closeText(out, stop)
  return stop
}
