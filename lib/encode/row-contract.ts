import type { CsvColumns } from '../csv/record.ts'
import type { Column } from '../types.ts'
import type { ByteBuffer } from './wire/byte-buffer.ts'

/** Turns rows into the bytes of one COPY. Made once for a set of columns, used for every row. */
export interface RowEncoder {
  readonly format: 'binary' | 'text'
  /** Appends what comes before the first tuple: the signature of binary COPY, nothing for text. */
  begin(out: ByteBuffer): void
  /**
   * Appends one row. `ordinal` is only written by an encoder made with `staging`.
   * @returns undefined, or the name of the column whose value has no exact form in this format; the buffer is then as before.
   * @throws ValueError for a value that has no form at all; the buffer is then as before.
   */
  row(out: ByteBuffer, row: object, ordinal: number): string | undefined
  /** Appends what comes after the last tuple: the trailer of binary COPY, nothing for text. */
  end(out: ByteBuffer): void
}

export interface RowEncoderOptions {
  columns: readonly Column[]
  format: 'binary' | 'text'
  /** For a staging table: two more int4 fields end each row, its `ordinal` and this number of its shape. */
  staging?: { shape: number } | undefined
  /**
   * The rows are `CsvRecord`s, of which the server stores what it would of objects with a string or null for each field;
   * else they are objects with a key for each column.
   */
  csv?: CsvColumns | undefined
}

/** What is wrong with a row of `csv` that is none. */
export const NO_CSV_RECORD = 'expected a CsvRecord'
