import type { CsvColumns } from '../csv/record.ts'
import type { Column } from '../types.ts'
import type { ByteBuffer } from './wire/byte-buffer.ts'

/** Encodes rows as the bytes of one COPY. Made once for a set of columns, and used for every row. */
export interface RowEncoder {
  readonly format: 'binary' | 'text'
  /** Appends what precedes the first tuple: the signature of binary COPY, nothing for text. */
  begin(out: ByteBuffer): void
  /**
   * Appends one row. `ordinal` is only written by an encoder made with `staging`. The buffer is unchanged if
   * a name is returned or an error is thrown.
   * @returns undefined, or the name of the column whose value has no exact form in this format
   * @throws ValueError for a value that has no form at all
   */
  row(out: ByteBuffer, row: object, ordinal: number): string | undefined
  /** Appends what follows the last tuple: the trailer of binary COPY, nothing for text. */
  end(out: ByteBuffer): void
}

export interface RowEncoderOptions {
  columns: readonly Column[]
  format: 'binary' | 'text'
  /**
   * For a staging table: each row ends with two more int4 fields, its `ordinal` and the number of its shape.
   */
  staging?: { shape: number } | undefined
  /**
   * Set where rows are `CsvRecord`s: the server stores the same as for objects with a string or null for each
   * field. Otherwise rows are objects with a key for each column.
   */
  csv?: CsvColumns | undefined
}

/** The message for a row of `csv` that is not a record. */
export const NO_CSV_RECORD = 'expected a CsvRecord'
