import { ESCAPED, FieldCutter } from '../../csv/field-cutter.ts'
import { CsvRecord, raggedMessage } from '../../csv/record.ts'
import type { Column } from '../../types.ts'
import { type CsvColumns, NO_CSV_RECORD, type RowEncoder, type RowEncoderOptions } from '../row-contract.ts'
import { ValueError } from '../value-error.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { BACKSLASH, endTextRow, NEWLINE, putTextNull, putTextStaging, TAB } from '../wire/text-format.ts'

const RETURN = 0x0d
const LETTER_R = 0x72

/** Encodes records of a CSV file as lines of COPY's text format, which can express any value. */
export function makeCsvTextRowEncoder(
  csv: CsvColumns,
  { columns, staging }: Omit<RowEncoderOptions, 'csv'>,
): RowEncoder {
  const cutter = new FieldCutter(csv.format)
  const indexes = columns.map(({ name }: Column) => csv.fields.indexOf(name))

  return {
    format: 'text',
    begin() {},
    row(out, row, ordinal) {
      const { chunk } = cut(cutter, row, csv)
      for (const index of indexes) {
        if (cutter.isNull(chunk, index)) putTextNull(out)
        else if (cutter.kinds[index] === ESCAPED) {
          const length = cutter.unescape(chunk, index)
          putEscaped(out, cutter.unescaped, 0, length)
        } else {
          putEscaped(out, chunk, cutter.starts[index]!, cutter.ends[index]!)
        }
      }
      if (staging) putTextStaging(out, ordinal, staging.shape)
      endTextRow(out)
      return undefined
    },
    end() {},
  }
}

/**
 * @throws ValueError for a row that is not a record, is malformed, or has another number of fields than the
 * file
 */
function cut(cutter: FieldCutter, row: object, { fields }: CsvColumns): CsvRecord {
  if (!(row instanceof CsvRecord)) throw new ValueError(undefined, NO_CSV_RECORD)
  if (row.fault !== undefined) throw new ValueError(undefined, row.fault)
  const count = cutter.cut(row)
  if (count !== fields.length) throw new ValueError(undefined, raggedMessage(row, count, fields.length))
  return row
}

/** Appends a field and a tab, escaped as `putCopyText` does. */
function putEscaped(out: ByteBuffer, field: Buffer, start: number, end: number): void {
  out.reserve((end - start) * 2 + 1)
  const { bytes } = out
  let at = out.length
  for (let i = start; i < end; i++) {
    const byte = field[i]!
    if (byte === BACKSLASH) bytes[at++] = BACKSLASH
    else if (byte <= RETURN && (byte === TAB || byte === NEWLINE || byte === RETURN)) {
      // not a backslash and the line end itself: the server accepts that only where all line ends are of one
      // kind
      bytes[at++] = BACKSLASH
      bytes[at++] = byte === TAB ? 0x74 : byte === NEWLINE ? 0x6e : LETTER_R
      continue
    }
    bytes[at++] = byte
  }
  bytes[at++] = TAB
  out.length = at
}
