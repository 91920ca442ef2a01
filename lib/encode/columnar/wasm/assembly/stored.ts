/** Writes the stored values of a column as fields, each to its row. */

import { putNull } from '../../../wasm/assembly/fields'
import { Column, indexesByRow } from './column'
import { Booleans, Dates, Floats, HeadedTexts, Int96s, Integers, Texts, Times, Uuids } from './formats'
import {
  BOOLEAN,
  DATE,
  FLOAT32_AS_FLOAT4,
  FLOAT32_AS_FLOAT8,
  FLOAT64_AS_FLOAT8,
  HEADED_TEXT,
  INT32_AS_INT2,
  INT32_AS_INT4,
  INT32_AS_INT8,
  INT64_AS_INT2,
  INT64_AS_INT4,
  INT64_AS_INT8,
  INT96,
  MICROSECONDS,
  MILLISECONDS,
  NANOSECONDS,
  TEXT,
  UUID,
} from './kinds'

/**
 * Writes the fields of a column.
 * @param places where the field of each row goes; afterwards the address after it
 * @returns the number of rows before the first one whose value JavaScript has to encode
 */
export function putColumn(column: Column, count: i32, places: usize): i32 {
  switch (column.kind) {
    case TEXT:
      return putEach<Texts>(column, count, places)
    case HEADED_TEXT:
      return putEach<HeadedTexts>(column, count, places)
    case UUID:
      return putEach<Uuids>(column, count, places)
    case BOOLEAN:
      return putEach<Booleans>(column, count, places)
    case INT32_AS_INT2:
      return putEach<Integers<i32, i16>>(column, count, places)
    case INT32_AS_INT4:
      return putEach<Integers<i32, i32>>(column, count, places)
    case INT32_AS_INT8:
      return putEach<Integers<i32, i64>>(column, count, places)
    case INT64_AS_INT2:
      return putEach<Integers<i64, i16>>(column, count, places)
    case INT64_AS_INT4:
      return putEach<Integers<i64, i32>>(column, count, places)
    case INT64_AS_INT8:
      return putEach<Integers<i64, i64>>(column, count, places)
    case FLOAT32_AS_FLOAT4:
      return putEach<Floats<f32, f32>>(column, count, places)
    case FLOAT32_AS_FLOAT8:
      return putEach<Floats<f32, f64>>(column, count, places)
    case FLOAT64_AS_FLOAT8:
      return putEach<Floats<f64, f64>>(column, count, places)
    case DATE:
      return putEach<Dates>(column, count, places)
    case MILLISECONDS:
    case MICROSECONDS:
    case NANOSECONDS:
      return putEach<Times>(column, count, places)
    case INT96:
      return putEach<Int96s>(column, count, places)
    default:
      return 0
  }
}

/** A loop for each format: none of its fields asks for the kind of the column, which takes as long again. */
function putEach<Format extends Column>(column: Column, count: i32, places: usize): i32 {
  const format = changetype<Format>(column)
  const values = column.values
  const indexes = indexesByRow(column, count)
  for (let row = 0; row < count; row++) {
    const at = (row as usize) << 2
    const index = indexes ? load<i32>(indexes + at) : row
    const out = load<usize>(places + at)
    const next = index < 0 ? putNull(out) : format.put(values, index, out)
    if (!next) return row
    store<usize>(places + at, next)
  }
  return count
}
