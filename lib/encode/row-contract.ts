import type { BlockLayout } from '../columnar/block-row.ts'
import type { CsvFormat } from '../csv/record.ts'
import type { JsonRecord } from '../json/record.ts'
import type { Column } from '../types.ts'
import type { OwnCodecs } from './codecs/own-codec.ts'
import type { BlockEncoder } from './columnar/wasm/block-encoder.ts'
import type { WasmEncoder } from './csv/wasm/wasm-encoder.ts'
import type { JsonEncoder } from './json/wasm/json-encoder.ts'
import type { RowList } from './row-list.ts'
import type { ByteBuffer } from './wire/byte-buffer.ts'

/** Where the fields of a CSV file go. */
export interface CsvColumns {
  readonly format: CsvFormat
  /** The column of each field; undefined: the field is not written. */
  readonly fields: readonly (string | undefined)[]
  /** Encodes the records that it can read. @default undefined: all are encoded in JavaScript */
  readonly wasm?: WasmEncoder | undefined
}

/** How lines of an NDJSON file become rows. */
export interface JsonColumns {
  /** Returns the column of a key; undefined: its values are not written. */
  readonly columnOf: (key: string) => string | undefined
  /** Returns the row that a line stands for, with columns as keys. */
  readonly rowOf: (record: JsonRecord) => object
  /** Encodes the lines that it can read. @default undefined: all are encoded in JavaScript */
  readonly wasm?: JsonEncoder | undefined
}

/** How blocks of a columnar file become rows. */
export interface BlockColumns {
  readonly layout: BlockLayout
  /** Encodes the rows that it can read. @default undefined: all are encoded in JavaScript */
  readonly wasm?: BlockEncoder | undefined
}

/** See `RowEncoder.rows`. */
export type EncodeRows = (
  out: ByteBuffer,
  rows: RowList,
  from: number,
  firstOrdinal: number,
  limit: number,
) => number

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
  /**
   * Appends rows from index `from` on while they are common ones and `out` has fewer than `limit` bytes.
   * Returns the index of the first row that is not encoded: it is for `row`. A row's ordinal is
   * `firstOrdinal` and its number in the batch.
   */
  readonly rows?: EncodeRows | undefined
  /** Appends what follows the last tuple: the trailer of binary COPY, nothing for text. */
  end(out: ByteBuffer): void
}

/**
 * Rows for a staging table: each ends with two more int4 fields, its `ordinal` and the number of its shape.
 */
export interface Staging {
  readonly shape: number
}

export interface RowEncoderOptions {
  columns: readonly Column[]
  format: 'binary' | 'text'
  /** The caller's codecs, which replace ours. They are for objects, not for records of a CSV file. */
  own?: OwnCodecs | undefined
  /** In text: a value that a row lacks is DEFAULT where the column has one. */
  marksDefaults?: boolean | undefined
  /** Set for a staging table. */
  staging?: Staging | undefined
  /**
   * Set where rows are `CsvRecord`s: the server stores the same as for objects with a string or null for each
   * field. Otherwise rows are objects with a key for each column.
   */
  csv?: CsvColumns | undefined
  /** Set where rows may also be `JsonRecord`s, which stand for objects. */
  json?: JsonColumns | undefined
  /** Set where rows are `BlockRow`s of this layout, which are objects as well. */
  blocks?: BlockColumns | undefined
}

/** The message for a row of `csv` that is not a record. */
export const NO_CSV_RECORD = 'expected a CsvRecord'
