import type { ByteBuffer } from './byte-buffer.ts'

/**
 * COPY's text format: each field is followed by a tab, and the last tab is replaced by the end of the row.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export const TAB = 0x09
export const NEWLINE = 0x0a
export const BACKSLASH = 0x5c
const LETTER_N = 0x4e
const LETTER_D = 0x44

/** Appends the field `\N`. */
export function putTextNull(out: ByteBuffer): void {
  out.reserve(3)
  const { bytes } = out
  bytes[out.length++] = BACKSLASH
  bytes[out.length++] = LETTER_N
  bytes[out.length++] = TAB
}

/** Appends the field `\D`, which the statement declares as the marker of DEFAULT. */
export function putTextDefault(out: ByteBuffer): void {
  out.reserve(3)
  const { bytes } = out
  bytes[out.length++] = BACKSLASH
  bytes[out.length++] = LETTER_D
  bytes[out.length++] = TAB
}

/** Appends the two fields that a staging table has after those of the row. */
export function putTextStaging(out: ByteBuffer, ordinal: number, shape: number): void {
  out.putUtf8(`${ordinal}\t${shape}\t`)
}

export function endTextRow(out: ByteBuffer): void {
  out.bytes[out.length - 1] = NEWLINE
}
