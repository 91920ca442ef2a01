/**
 * Writes the value of a file as the field of a column. All encoders of files share this: they differ in how
 * they find where a value begins and ends.
 */

import { put32 } from './fields'
import { putDouble, putInteger, putNumeric } from './numbers'
import { putBoolean, putUuid } from './texts'
import { putDate, putTimestamp } from './times'

/** What a field becomes. The numbers are those of `WasmKind` in wasm-kind.ts. */
export const SKIPPED = 0
export const TEXT = 1
export const JSONB = 2
const BOOLEAN = 3
const INT2 = 4
const INT4 = 5
const INT8 = 6
const FLOAT8 = 7
const NUMERIC = 8
const DATE = 9
const TIMESTAMP = 10
const TIMESTAMPTZ = 11
const UUID = 12

/** The number of a tuple's fields, with which the tuple begins. */
const COUNT_BYTES: usize = 2

/** The most bytes that a field has beyond those of its value in the file: a short number has 22 in all. */
const MAX_FIELD_BYTES: usize = 22

const JSONB_VERSION = 1

/**
 * Returns the most bytes that a tuple has beyond those of its record in the file.
 * @param fields those of a staging table included
 */
export function maxTupleBytes(fields: i32): usize {
  return COUNT_BYTES + (fields as usize) * MAX_FIELD_BYTES
}

/** The rows go into the table itself: there is no number of their shape. */
export const NO_STAGING = -1

/** Leaves room for the length of a text, and writes what precedes its bytes. */
export function openText(kind: i32, out: usize): usize {
  if (kind === TEXT) return out + 4
  store<u8>(out, JSONB_VERSION, 4)
  return out + 5
}

export function closeText(start: usize, end: usize): void {
  put32(start, (end - start - 4) as i32)
}

/**
 * Writes the value from `at` to `end`, which is not empty, for a type other than text. Returns the address
 * after the field, or 0 for a value that is not read here.
 */
export function putValue(kind: i32, at: usize, end: usize, out: usize): usize {
  switch (kind) {
    case BOOLEAN:
      return putBoolean(at, end, out)
    case INT2:
      return putInteger(at, end, out, 2)
    case INT4:
      return putInteger(at, end, out, 4)
    case INT8:
      return putInteger(at, end, out, 8)
    case FLOAT8:
      return putDouble(at, end, out)
    case NUMERIC:
      return putNumeric(at, end, out)
    case DATE:
      return putDate(at, end, out)
    case TIMESTAMP:
      return putTimestamp(at, end, out, false)
    case TIMESTAMPTZ:
      return putTimestamp(at, end, out, true)
    case UUID:
      return putUuid(at, end, out)
    default:
      return 0
  }
}

/** The two fields that a staging table has after those of the row: two int4, each after its length. */
export const STAGING_BYTES: i32 = 16

/** Writes the fields of a staging table. */
export function putStaging(out: usize, ordinal: u32, shape: i32): usize {
  return put32(put32(put32(put32(out, 4), ordinal), 4), shape)
}
