import type { ByteBuffer } from './byte-buffer.ts'

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

const TRAILER = -1
const NULL_FIELD = -1
const INT4_BYTES = 4

/**
 * The start and the end of every binary COPY.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export const BINARY_FORMAT = {
  format: 'binary',
  begin: (out: ByteBuffer): void => out.putBytes(SIGNATURE),
  end: (out: ByteBuffer): void => out.putInt16(TRAILER),
} as const

export function putNull(out: ByteBuffer): void {
  out.putInt32(NULL_FIELD)
}

/** Appends the two fields that a staging table has after those of the row. */
export function putStagingFields(out: ByteBuffer, ordinal: number, shape: number): void {
  out.putInt32(INT4_BYTES)
  out.putInt32(ordinal)
  out.putInt32(INT4_BYTES)
  out.putInt32(shape)
}
