/**
 * What the caller passes for a column: eight numbers, and where each is in bytes. The order is that of the
 * indexes in block-encoder.ts.
 */

/** One of `StoredKind`. */
export const KIND: usize = 0
/** The decimals of a number, or the byte before each text. */
export const DETAIL: usize = 4
/** For each row the index of its value, below 0 for NULL; 0: each row has the value with its own index. */
export const POSITIONS: usize = 8
/** The index of the first value that is in memory. */
export const FIRST: usize = 12
/** For each value its index in the dictionary; 0: there is no dictionary. */
export const INDEXES: usize = 16
export const VALUES: usize = 20
/** Where each text starts and ends, counted from `VALUES`. */
export const STARTS: usize = 24
export const ENDS: usize = 28

export const COLUMN_BYTES: usize = 32
