/**
 * What the caller passes for a column, in 32 bytes: eight numbers, in the order of the indexes in
 * block-encoder.ts.
 */
export class Column {
  /** One of `StoredKind`. */
  kind: i32
  /** The decimals of a number, or the byte before each text. */
  detail: i32
  /** Where the index of each row's value is, below 0 for NULL; 0: it is that of the row. */
  positions: usize
  /** Where each value's index in the dictionary is, if there is one. Any number, as in `values`. */
  indexes: usize
  /** Where the values are, less what is before those that were copied: it may be 0, or below. */
  values: usize
  /** Where each text starts and ends, counted from `values`. */
  starts: usize
  ends: usize
  /** The bytes of each index: 1, 2 or 4; 0: there is no dictionary. */
  indexBytes: i32

  startOf(index: i32): usize {
    return this.values + load<i32>(this.starts + (index << 2))
  }

  endOf(index: i32): usize {
    return this.values + load<i32>(this.ends + (index << 2))
  }
}

export const COLUMN_BYTES: usize = 32

/** Room for a number of four bytes for each row. */
const BY_ROW: usize = memory.data(4096 * 4, 16)

/**
 * Returns where the index of each row's value is, below 0 for NULL; 0: it is the index of the row. The next
 * call overwrites it.
 */
export function indexesByRow(column: Column, count: i32): usize {
  const positions = column.positions
  const indexes = column.indexes
  const bytes = column.indexBytes
  if (bytes === 0) return positions
  if (bytes === 1) return gather<u8>(indexes, positions, count)
  if (bytes === 2) return gather<u16>(indexes, positions, count)
  return positions ? gather<i32>(indexes, positions, count) : indexes
}

function gather<Index>(indexes: usize, positions: usize, count: i32): usize {
  for (let row: usize = 0; row < (count as usize); row++) {
    const place = positions ? load<i32>(positions + (row << 2)) : (row as i32)
    const index = place < 0 ? place : (load<Index>(indexes + (place as usize) * sizeof<Index>()) as i32)
    store<i32>(BY_ROW + (row << 2), index)
  }
  return BY_ROW
}
