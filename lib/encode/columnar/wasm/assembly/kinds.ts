/** What stored values become. The numbers are those of `StoredKind` in stored-kind.ts. */

export const TEXT = 0
export const HEADED_TEXT = 1
export const UUID = 2
export const BOOLEAN = 3
export const INT32_AS_INT2 = 4
export const INT32_AS_INT4 = 5
export const INT32_AS_INT8 = 6
export const INT64_AS_INT2 = 7
export const INT64_AS_INT4 = 8
export const INT64_AS_INT8 = 9
export const FLOAT32_AS_FLOAT4 = 10
export const FLOAT32_AS_FLOAT8 = 11
export const FLOAT64_AS_FLOAT8 = 12
export const DATE = 13
export const MILLISECONDS = 14
export const MICROSECONDS = 15
export const NANOSECONDS = 16
export const INT96 = 17
export const INT32_DECIMAL = 18
export const INT64_DECIMAL = 19
export const BYTES_DECIMAL = 20

/** The length of a text that is NULL. One below it is a value that the column's codec refuses. */
export const NULL_LENGTH = -1

/** The bytes of each value, by its kind; 0: they differ. */
const BYTES: StaticArray<u8> = [0, 0, 16, 1, 2, 4, 8, 2, 4, 8, 4, 8, 8, 4, 8, 8, 8, 8, 0, 0, 0]

export function bytesOfKind(kind: i32): i32 {
  return unchecked(BYTES[kind])
}

export function isDecimal(kind: i32): bool {
  return kind >= INT32_DECIMAL
}
