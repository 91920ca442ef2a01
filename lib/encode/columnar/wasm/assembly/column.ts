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
  hasDictionary: bool

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
  if (!column.hasDictionary) return positions
  if (!positions) return indexes
  for (let at: usize = 0, end = (count as usize) << 2; at < end; at += 4) {
    const index = load<i32>(positions + at)
    store<i32>(BY_ROW + at, index < 0 ? index : load<i32>(indexes + (index << 2)))
  }
  return BY_ROW
}
