/**
 * Writes stored values as fields. Each function returns the address after the field, or 0 for a value that
 * JavaScript has to encode.
 */

import { put32, putInt16Field, putInt32Field, putInt64Field, putNull } from '../../../wasm/assembly/fields'
import { DETAIL, ENDS, KIND, STARTS, VALUES } from './column'
import { putDecimal, readUnscaled } from './decimals'
import { putCount, putInt96 } from './times'

/** The numbers are those of `StoredKind` in stored-kind.ts. */
const TEXT = 0
const HEADED_TEXT = 1
const UUID = 2
const BOOLEAN = 3
const INT32_AS_INT2 = 4
const INT32_AS_INT4 = 5
const INT32_AS_INT8 = 6
const INT64_AS_INT2 = 7
const INT64_AS_INT4 = 8
const INT64_AS_INT8 = 9
const FLOAT32_AS_FLOAT4 = 10
const FLOAT32_AS_FLOAT8 = 11
const FLOAT64_AS_FLOAT8 = 12
const DATE = 13
const MILLISECONDS = 14
const MICROSECONDS = 15
const NANOSECONDS = 16
const INT96 = 17
const INT32_DECIMAL = 18
const INT64_DECIMAL = 19
const BYTES_DECIMAL = 20

/** Writes the value with this index. A text may not reach beyond `textEnd`. */
export function putStored(column: usize, index: i32, out: usize, textEnd: usize): usize {
  const kind = load<i32>(column, KIND)
  const values = load<usize>(column, VALUES)
  switch (kind) {
    case TEXT:
    case HEADED_TEXT:
      return putText(column, index, out, textEnd)
    case UUID:
      return putUuid(column, index, out)
    case BOOLEAN:
      store<u8>(put32(out, 1), load<i32>(values + (index << 2)) ? 1 : 0)
      return out + 5
    case INT32_AS_INT2:
      return putInt2(out, load<i32>(values + (index << 2)))
    case INT32_AS_INT4:
      return putInt32Field(out, load<i32>(values + (index << 2)))
    case INT32_AS_INT8:
      return putInt64Field(out, load<i32>(values + (index << 2)))
    case INT64_AS_INT2:
      return putInt2(out, load<i64>(values + (index << 3)))
    case INT64_AS_INT4:
      return putInt4(out, load<i64>(values + (index << 3)))
    case INT64_AS_INT8:
      return putInt64Field(out, load<i64>(values + (index << 3)))
    case FLOAT32_AS_FLOAT4:
      return putInt32Field(out, bitsOfFloat(load<f32>(values + (index << 2))))
    case FLOAT32_AS_FLOAT8:
      return putInt64Field(out, bitsOfDouble(load<f32>(values + (index << 2))))
    case FLOAT64_AS_FLOAT8:
      return putInt64Field(out, bitsOfDouble(load<f64>(values + (index << 3))))
    case DATE:
      return putDate(out, load<i32>(values + (index << 2)))
    case MILLISECONDS:
    case MICROSECONDS:
    case NANOSECONDS:
      return putCount(kind - MILLISECONDS, load<i64>(values + (index << 3)), out)
    case INT96:
      return putInt96(values + index * 12, out)
    case INT32_DECIMAL:
      return putDecimal(load<i32>(values + (index << 2)), load<i32>(column, DETAIL), out)
    case INT64_DECIMAL:
      return putDecimal(load<i64>(values + (index << 3)), load<i32>(column, DETAIL), out)
    case BYTES_DECIMAL:
      return putDecimal(
        readUnscaled(startOf(column, index), endOf(column, index)),
        load<i32>(column, DETAIL),
        out,
      )
    default:
      return 0
  }
}

function startOf(column: usize, index: i32): usize {
  return load<usize>(column, VALUES) + load<i32>(load<usize>(column, STARTS) + (index << 2))
}

function endOf(column: usize, index: i32): usize {
  return load<usize>(column, VALUES) + load<i32>(load<usize>(column, ENDS) + (index << 2))
}

/** Up to this length a loop costs less than a call. */
const SHORT: isize = 96

/** A length of -1 is NULL, and one below it a value that the column's codec refuses. */
const NULL_LENGTH: isize = -1

function putText(column: usize, index: i32, out: usize, textEnd: usize): usize {
  let from = startOf(column, index)
  const length = (endOf(column, index) - from) as isize
  if (length < 0) return length === NULL_LENGTH ? putNull(out) : 0
  if (out + length > textEnd) return 0
  const head = load<i32>(column, KIND) === HEADED_TEXT
  out = put32(out, (length as i32) + (head ? 1 : 0))
  if (head) store<u8>(out++, load<u8>(column, DETAIL))
  const end = out + length
  if (length > SHORT) memory.copy(out, from, length)
  else {
    // up to 15 bytes more are read and written, and the next field is written over them
    for (let to = out; to < end; to += 16, from += 16) v128.store(to, v128.load(from))
  }
  return end
}

function putUuid(column: usize, index: i32, out: usize): usize {
  const from = startOf(column, index)
  if (endOf(column, index) - from !== 16) return 0
  v128.store(put32(out, 16), v128.load(from))
  return out + 20
}

function putInt2(out: usize, value: i64): usize {
  return value === (value as i16 as i64) ? putInt16Field(out, value as i32) : 0
}

function putInt4(out: usize, value: i64): usize {
  return value === (value as i32 as i64) ? putInt32Field(out, value as i32) : 0
}

const NAN_FLOAT: i32 = 0x7fc00000
const NAN_DOUBLE: i64 = 0x7ff8000000000000

/** Adding 0 makes 0 of -0, as the codec does. */
function bitsOfFloat(value: f32): i32 {
  return Number.isNaN(value) ? NAN_FLOAT : reinterpret<i32>(value + 0)
}

function bitsOfDouble(value: f64): i64 {
  return Number.isNaN(value) ? NAN_DOUBLE : reinterpret<i64>(value + 0)
}

/** Days from 1970 to 2000, where PostgreSQL's calendar begins to count. */
const EPOCH_DAYS = 10_957
/** Dates from 0001-01-01 to 9999-12-31, as in put-stored.ts. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896

function putDate(out: usize, days: i32): usize {
  return days < FIRST_DAY || days > LAST_DAY ? 0 : putInt32Field(out, days - EPOCH_DAYS)
}
