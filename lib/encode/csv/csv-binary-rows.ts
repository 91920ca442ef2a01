import { ESCAPED, FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvFormat, CsvRecord, raggedMessage } from '../../csv/record.ts'
import { type FieldCodec, NEEDS_TEXT, NO_DELIMITER, type ScanField } from '../codecs/codec.ts'
import { codecFor } from '../codecs/codec-for.ts'
import { scanString } from '../codecs/text/scan-string.ts'
import { type CsvColumns, NO_CSV_RECORD, type RowEncoder, type RowEncoderOptions } from '../row-contract.ts'
import { ValueError } from '../value-error.ts'
import { BINARY_FORMAT, closeField, putNull, putStaging, tupleFieldsOf } from '../wire/binary-format.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { makePutRecord, RAGGED, type RecordField, WHOLE } from './put-record.ts'
import { makeWasmRows } from './wasm-rows.ts'

/**
 * Encodes records of a CSV file as tuples of COPY's binary format. A field is read once, from its first byte
 * to the delimiter, because finding its end first would cost as much again. Only fields that may mean NULL,
 * and quoted fields of types other than text, are cut before they are read.
 */
export function makeCsvBinaryRowEncoder(
  csv: CsvColumns,
  { columns, staging }: Omit<RowEncoderOptions, 'csv'>,
): RowEncoder {
  const { format, fields: names } = csv
  const cutter = new FieldCutter(format)
  const fields = names.map((name): RecordField => {
    const column = columns.find(one => one.name === name)
    if (!column) return { scan: undefined, put: (_out, chunk, at, end) => cutter.cutField(0, chunk, at, end) }
    return makeField(codecFor(column.type), format, cutter)
  })
  const quote = format.quote?.charCodeAt(0)
  const putRecord = makePutRecord(fields, { delimiter: format.delimiter.charCodeAt(0), quote })
  const fieldCount = tupleFieldsOf(columns.length, staging)

  return {
    ...BINARY_FORMAT,
    rows: makeWasmRows(csv, columns, staging),
    row(out, row, ordinal) {
      if (!(row instanceof CsvRecord)) throw new ValueError(undefined, NO_CSV_RECORD)
      if (row.fault !== undefined) throw new ValueError(undefined, row.fault)
      const start = out.length
      out.putInt16(fieldCount)
      const needsText = putRecord(out, row.chunk, row.start, row.end)
      if (needsText !== WHOLE) {
        out.length = start
        if (needsText === RAGGED)
          throw new ValueError(undefined, raggedMessage(row, cutter.cut(row), names.length))
        return names[needsText]
      }
      if (staging) putStaging(out, ordinal, staging.shape)
      return undefined
    },
  }
}

/** The characters of numbers, dates and words: a file with such a delimiter would have them in pieces. */
const IN_VALUES = /[-+.: \dA-Za-z]/

/** Returns the reader of a codec for files with this delimiter. */
export function scanFieldOf({ binary, scan }: FieldCodec, delimiter: string): ScanField {
  return scan && !IN_VALUES.test(delimiter) ? scan : scanString(binary!)
}

function makeField(
  codec: FieldCodec,
  { delimiter, nulls, forceNull }: CsvFormat,
  cutter: FieldCutter,
): RecordField {
  const scan = scanFieldOf(codec, delimiter)
  const { textHead } = codec

  function putValue(out: ByteBuffer, chunk: Buffer): boolean {
    if (cutter.kinds[0] === ESCAPED) {
      return scan(out, cutter.unescaped, 0, cutter.unescape(chunk, 0), NO_DELIMITER) !== NEEDS_TEXT
    }
    return scan(out, chunk, cutter.starts[0]!, cutter.ends[0]!, NO_DELIMITER) !== NEEDS_TEXT
  }

  return {
    scan: nulls.some(text => text !== '') ? undefined : scan,
    put(out, chunk, at, end) {
      if (textHead && !forceNull && cutter.isQuoted(chunk, at, end)) {
        putQuotedText(out, textHead, cutter, chunk, at, end)
        return cutter.closed + 1
      }
      const next = cutter.cutField(0, chunk, at, end)
      if (cutter.isNull(chunk, 0)) putNull(out)
      else if (!putValue(out, chunk)) return NEEDS_TEXT
      return next
    },
  }
}

/** Appends the field of a quoted text, and removes its escapes in the same pass. */
function putQuotedText(
  out: ByteBuffer,
  head: Uint8Array,
  cutter: FieldCutter,
  chunk: Buffer,
  at: number,
  end: number,
): void {
  out.reserve(4 + head.length + end - at)
  const start = out.length
  if (head.length > 0) out.bytes.set(head, start + 4)
  out.length = cutter.unquote(chunk, at + 1, end, out.bytes, start + 4 + head.length)
  closeField(out, start)
}
