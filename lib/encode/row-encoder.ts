import type { Column } from '../types.ts'
import { codecFor } from './codecs/codec-for.ts'
import type { OwnCodecs } from './codecs/own-codec.ts'
import { makeColumnarRows } from './columnar/columnar-rows.ts'
import { makeCsvBinaryRowEncoder } from './csv/csv-binary-rows.ts'
import { makeCsvTextRowEncoder } from './csv/csv-text-rows.ts'
import { makeJsonRowEncoder } from './json/json-rows.ts'
import { makeBinaryRowEncoder } from './objects/binary-rows.ts'
import { makeTextRowEncoder } from './objects/text-rows.ts'
import type { RowEncoder, RowEncoderOptions } from './row-contract.ts'

export { objectOf } from './json/json-rows.ts'
export type { BlockColumns, CsvColumns, JsonColumns, RowEncoder, RowEncoderOptions } from './row-contract.ts'
export { ValueError } from './value-error.ts'

/**
 * Returns the encoder for rows of these columns.
 * @throws TypeError for the binary format where `canBeBinary(columns, own)` is false
 */
export function makeRowEncoder(options: RowEncoderOptions): RowEncoder {
  const { format, csv, json, blocks } = options
  if (csv) {
    return format === 'binary' ? makeCsvBinaryRowEncoder(csv, options) : makeCsvTextRowEncoder(csv, options)
  }
  const objects = format === 'binary' ? makeBinaryRowEncoder(options) : makeTextRowEncoder(options)
  if (blocks && format === 'binary') return { ...objects, rows: makeColumnarRows(blocks, options) }
  return json ? makeJsonRowEncoder(objects, json, options) : objects
}

/** Returns true when the type of every column has a binary form. */
export function canBeBinary(columns: readonly Column[], own?: OwnCodecs): boolean {
  return columns.every(column => codecFor(column.type, own).binary !== undefined)
}
