/**
 * Adds up the size of each row's tuple, column by column. Decimals are written on this occasion, because
 * their size depends on their digits: their columns are columns of texts afterwards.
 */

import { COLUMN_BYTES, Column, indexesByRow } from './column'
import { putDecimalOf } from './decimals'
import { bytesOfKind, HEADED_TEXT, isDecimal, NULL_LENGTH, TEXT } from './kinds'

/** The length that precedes each value. */
const LENGTH_BYTES = 4

/** A field of decimals, and where it starts and ends. */
const DECIMAL_BYTES: i32 = 24
const MADE_BYTES: i32 = DECIMAL_BYTES + 8
const MADE_ROOM: i32 = 512 * 1024
const MADE: usize = memory.data(512 * 1024, 16)

/** The size of each tuple. */
export const SIZES: usize = memory.data(4096 * 4, 16)

/**
 * Fills SIZES.
 * @param columns where they are, up to `end`
 * @param base the bytes of a tuple that are not of a column
 * @param most the largest text
 * @returns the number of rows before the first one that JavaScript has to encode
 */
export function sizeRows(columns: usize, end: usize, count: i32, base: i32, most: i32): i32 {
  let decimals = 0
  for (let at = columns; at < end; at += COLUMN_BYTES) {
    const kind = changetype<Column>(at).kind
    const bytes = bytesOfKind(kind)
    if (bytes > 0) base += LENGTH_BYTES + bytes
    if (isDecimal(kind)) decimals++
  }
  if (decimals > 0) count = min(count, MADE_ROOM / MADE_BYTES / decimals)
  for (let row = 0; row < count; row++) store<i32>(SIZES + (row << 2), base)
  let made = MADE
  for (let at = columns; at < end; at += COLUMN_BYTES) {
    const column = changetype<Column>(at)
    const bytes = bytesOfKind(column.kind)
    if (isDecimal(column.kind)) {
      const next = made + count * MADE_BYTES // a column has room for all rows, also where it stops before one
      count = makeDecimals(column, count, made)
      made = next
    } else if (bytes === 0) count = addTexts(column, count, most)
    else subtractNulls(column.positions, count, bytes)
  }
  return count
}

/** A NULL has no bytes where the other values of the column have so many. */
function subtractNulls(positions: usize, count: i32, bytes: i32): void {
  if (!positions) return
  const each = i32x4.splat(bytes)
  // up to three rows more are read and changed, which nothing uses
  for (let at: usize = 0, end = (count as usize) << 2; at < end; at += 16) {
    const isNull = i32x4.shr_s(v128.load(positions + at), 31)
    v128.store(SIZES + at, i32x4.sub(v128.load(SIZES + at), v128.and(isNull, each)))
  }
}

function addTexts(column: Column, count: i32, most: i32): i32 {
  const indexes = indexesByRow(column, count)
  const starts = column.starts
  const ends = column.ends
  const head = column.kind === HEADED_TEXT ? LENGTH_BYTES + 1 : LENGTH_BYTES
  for (let row = 0; row < count; row++) {
    const at = (row as usize) << 2
    const index = indexes ? load<i32>(indexes + at) : row
    let size = LENGTH_BYTES
    if (index >= 0) {
      const length = load<i32>(ends + (index << 2)) - load<i32>(starts + (index << 2))
      if (length < NULL_LENGTH || length > most) return row
      if (length >= 0) size = head + length
    }
    store<i32>(SIZES + at, load<i32>(SIZES + at) + size)
  }
  return count
}

/** Writes the fields of a column's rows, and makes it a column of texts. */
function makeDecimals(column: Column, count: i32, made: usize): i32 {
  const indexes = indexesByRow(column, count)
  const ends = made + ((count as usize) << 2)
  let field = ends + ((count as usize) << 2)
  let row = 0
  for (; row < count; row++) {
    const at = (row as usize) << 2
    const index = indexes ? load<i32>(indexes + at) : row
    const start = field + LENGTH_BYTES
    let end = start + NULL_LENGTH
    let size = LENGTH_BYTES
    if (index >= 0) {
      end = putDecimalOf(column, index, field)
      if (!end) break
      size = (end - field) as i32
    }
    store<usize>(made + at, start)
    store<usize>(ends + at, end)
    store<i32>(SIZES + at, load<i32>(SIZES + at) + size)
    field += DECIMAL_BYTES
  }
  column.kind = TEXT
  column.positions = 0
  column.indexBytes = 0
  column.values = 0
  column.starts = made
  column.ends = ends
  return row
}
