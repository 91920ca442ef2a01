import type { ByteBuffer } from './byte-buffer.ts'

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

const TRAILER = -1
const NULL_FIELD = -1

/** The length of a value, which precedes it. */
const LENGTH_BYTES = 4

/** The number of a tuple's fields, with which the tuple begins. */
export const COUNT_BYTES = 2

/** The two fields that a staging table has after those of the row: two int4, each after its length. */
const STAGING_FIELDS = 2
export const STAGING_BYTES = 16

/**
 * The start and the end of every binary COPY.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export const BINARY_FORMAT = {
  format: 'binary',
  begin: (out: ByteBuffer): void => out.putBytes(SIGNATURE),
  end: (out: ByteBuffer): void => out.putInt16(TRAILER),
} as const

/** Writes the length of a field that begins at `start` and ends here. */
export function closeField(out: ByteBuffer, start: number): void {
  out.view.setInt32(start, out.length - start - LENGTH_BYTES)
}

export function putNull(out: ByteBuffer): void {
  out.putInt32(NULL_FIELD)
}

/** Returns how many fields a tuple has: one for each column, and those of a staging table. */
export function tupleFieldsOf(columns: number, staging: object | undefined): number {
  return staging ? columns + STAGING_FIELDS : columns
}

/** Appends the fields of a staging table. */
export function putStaging(out: ByteBuffer, ordinal: number, shape: number): void {
  out.reserve(STAGING_BYTES)
  out.length = putStagingAt(out.view, out.length, ordinal, shape)
}

/**
 * Writes the fields of a staging table at an index, which must have room for them. Returns the index after
 * them.
 */
export function putStagingAt(view: DataView, at: number, ordinal: number, shape: number): number {
  view.setInt32(at, 4)
  view.setInt32(at + 4, ordinal)
  view.setInt32(at + 8, 4)
  view.setInt32(at + 12, shape)
  return at + STAGING_BYTES
}
