/**
 * Encodes records of a CSV file as tuples of binary COPY. This is AssemblyScript, which `npm run build:wasm`
 * compiles to WebAssembly with SIMD. It reads what nearly every file holds, and stops at a record with
 * anything else: the encoder in csv-binary-rows.ts takes that record. Both write the same bytes, which a test
 * compares.
 *
 * The caller puts the bytes of records at INPUT and where each one is into TABLE, and finds tuples at OUTPUT.
 */

import { put16, putNull } from '../../../wasm/assembly/fields'
import { copyUntil, find, findClose, readTo, unquote } from '../../../wasm/assembly/texts'
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

export const MAX_FIELDS: i32 = 1600
export const MAX_RECORDS: i32 = 4096
export const INPUT_BYTES: i32 = 128 * 1024
/** Room for the tuple of one record after the caller's limit. */
export const OUTPUT_BYTES: i32 = 512 * 1024
/** Memory that the caller divides, see `encode`. */
export const SLAB_BYTES: i32 = 13 * 1024 * 1024
/** What is copied in blocks may end so many bytes later. */
const PAST_END: usize = 32

/** The kind of each field, a byte each. */
export const KINDS: usize = memory.data(1600)
/** Three numbers for each record, as tables of places have them: where it starts and ends, and its line. */
export const TABLE: usize = memory.data(4096 * 12, 16)
export const INPUT: usize = memory.data(128 * 1024 + 32, 16)
export const OUTPUT: usize = memory.data(512 * 1024, 16)
export const SLABS: usize = memory.data(13 * 1024 * 1024, 16)

let delimiter: i32 = 0
let quote: i32 = 0
let emptyIsNull: bool = false
let fieldCount: i32 = 0
let tupleFields: i32 = 0
/** The most bytes that a tuple has beyond those of its record. */
let tupleBytes: usize = 0
let stagingShape: i32 = NO_STAGING

/** How many bytes the last call of `encode` has written. */
export let written: i32 = 0

/** Sets the format of the file and of the tuples. The kinds of fields are at KINDS. No staging: shape -1. */
export function configure(
  delimiterByte: i32,
  quoteByte: i32,
  emptyMeansNull: bool,
  fields: i32,
  fieldsOfTuple: i32,
  shape: i32,
): void {
  delimiter = delimiterByte
  quote = quoteByte
  emptyIsNull = emptyMeansNull
  fieldCount = fields
  tupleFields = fieldsOfTuple
  tupleBytes = maxTupleBytes(fieldsOfTuple)
  stagingShape = shape
}

/**
 * Encodes records up to one that it cannot read, or until `limit` bytes are written. Returns how many it has
 * encoded.
 * @param base where the bytes at INPUT begin, by the numbers of TABLE
 * @param ordinal that of the first record, for a staging table; the others follow
 * @param output where the tuples go, at OUTPUT or within SLABS
 * @param outputEnd the address after the last byte that may be written
 */
export function encode(
  count: i32,
  base: i32,
  ordinal: i32,
  limit: i32,
  output: usize,
  outputEnd: usize,
): i32 {
  let out = output
  const full = output + limit
  const last = outputEnd - PAST_END
  let record: i32 = 0
  for (let entry = TABLE; record < count && out < full; record++, entry += 12) {
    const start = INPUT + (load<u32>(entry) - base)
    const end = INPUT + (load<u32>(entry, 4) - base)
    if (out + (end - start) + tupleBytes > last) break
    const next = encodeRecord(start, end, out)
    if (!next) break
    out = stagingShape === NO_STAGING ? next : putStaging(next, ordinal + record, stagingShape)
  }
  written = (out - output) as i32
  return record
}

/** Returns the address after the tuple, or 0. */
function encodeRecord(at: usize, end: usize, out: usize): usize {
  out = put16(out, tupleFields)
  const last = fieldCount - 1
  for (let field = 0; field <= last; field++) {
    const kind: i32 = load<u8>(KINDS + field)
    if (at < end && load<u8>(at) === quote) {
      out = putQuoted(kind, at + 1, end, out)
      if (!out) return 0
      at = readTo + 1
    } else if (kind === TEXT || kind === JSONB) {
      const start = out
      out = copyUntil(delimiter, at, end, openText(kind, out))
      if (readTo === at && emptyIsNull) out = putNull(start)
      else closeText(start, out)
      at = readTo
    } else {
      const stop = find(delimiter, at, end)
      out = kind === SKIPPED ? out : stop === at ? putEmpty(out) : putValue(kind, at, stop, out)
      if (!out) return 0
      at = stop
    }
    if (at >= end !== (field === last)) return 0 // too few fields, or too many
    at++
  }
  return out
}

/** Only texts have an empty value. */
function putEmpty(out: usize): usize {
  return emptyIsNull ? putNull(out) : 0
}

/** Writes the field whose opening quote is before `at`. `readTo` is then its closing quote. */
function putQuoted(kind: i32, at: usize, end: usize, out: usize): usize {
  if (kind === SKIPPED) {
    unquote(quote, at, end, out)
    return out
  }
  if (kind === TEXT || kind === JSONB) {
    const stop = unquote(quote, at, end, openText(kind, out))
    closeText(out, stop)
    return stop
  }
  const close = findClose(quote, at, end)
  return close > at ? putValue(kind, at, close, out) : 0
}
