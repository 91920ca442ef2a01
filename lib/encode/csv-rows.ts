import { ESCAPED, FieldCutter } from '../csv/field-cutter.ts'
import { type CsvColumns, CsvRecord, raggedText } from '../csv/record.ts'
import type { Column } from '../types.ts'
import { BINARY_FORMAT, putNull, putStagingFields } from './binary-format.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import { codecFor } from './codec-for.ts'
import type { RowEncoder, RowEncoderOptions } from './row-contract.ts'
import { utf8FieldOf } from './utf8-fields.ts'
import { ValueError } from './value-error.ts'

/**
 * Rows that are records of a CSV file, encoded from the bytes of the file. The server stores of them what it would of
 * an object with a string or null for each field.
 */
export function makeCsvRowEncoder(csv: CsvColumns, options: Omit<RowEncoderOptions, 'csv'>): RowEncoder {
  return options.format === 'binary' ? makeBinary(csv, options) : makeText(csv, options)
}

function makeBinary(csv: CsvColumns, { columns, staging }: Omit<RowEncoderOptions, 'csv'>): RowEncoder {
  const cutter = new FieldCutter(csv.format)
  const fields = columns.map(({ name, type }) => ({
    name,
    index: csv.fields.indexOf(name),
    put: utf8FieldOf(codecFor(type)),
  }))
  const fieldCount = fields.length + (staging ? 2 : 0)

  return {
    ...BINARY_FORMAT,
    row(out, row, ordinal) {
      const { chunk } = cut(cutter, row, csv)
      const start = out.length
      out.putInt16(fieldCount)
      for (let i = 0; i < fields.length; i++) {
        const { name, index, put } = fields[i]!
        if (cutter.isNull(chunk, index)) {
          putNull(out)
          continue
        }
        let fits: boolean
        if (cutter.kinds[index] === ESCAPED) {
          const length = cutter.unescape(chunk, index)
          fits = put(out, cutter.unescaped, 0, length)
        } else {
          fits = put(out, chunk, cutter.starts[index]!, cutter.ends[index]!)
        }
        if (!fits) {
          out.length = start
          return name
        }
      }
      if (staging) putStagingFields(out, ordinal, staging.shape)
      return undefined
    },
  }
}

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const BACKSLASH = 0x5c
const LETTER_N = 0x4e
const LETTER_R = 0x72

function makeText(csv: CsvColumns, { columns, staging }: Omit<RowEncoderOptions, 'csv'>): RowEncoder {
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
      if (staging) {
        out.putUtf8(`${ordinal}\t${staging.shape}\t`)
      }
      out.bytes[out.length - 1] = NEWLINE // in place of the last tab
      return undefined
    },
    end() {},
  }
}

/** @throws ValueError for what is no record of the file */
function cut(cutter: FieldCutter, row: object, { fields }: CsvColumns): CsvRecord {
  if (!(row instanceof CsvRecord)) throw new ValueError(undefined, 'expected a CsvRecord')
  const count = cutter.cut(row)
  if (count !== fields.length) throw new ValueError(undefined, raggedText(row, count, fields.length))
  return row
}

function putTextNull(out: ByteBuffer): void {
  out.reserve(3)
  const { bytes } = out
  bytes[out.length++] = BACKSLASH
  bytes[out.length++] = LETTER_N
  bytes[out.length++] = TAB
}

/** A field and a tab, escaped as `putCopyText` does it. */
function putEscaped(out: ByteBuffer, field: Buffer, start: number, end: number): void {
  out.reserve((end - start) * 2 + 1)
  const { bytes } = out
  let at = out.length
  for (let i = start; i < end; i++) {
    const byte = field[i]!
    if (byte === BACKSLASH) bytes[at++] = BACKSLASH
    else if (byte <= RETURN && (byte === TAB || byte === NEWLINE || byte === RETURN)) {
      // the server takes a backslash and a line end for the line end, but only in a file that is of one system
      bytes[at++] = BACKSLASH
      bytes[at++] = byte === TAB ? 0x74 : byte === NEWLINE ? 0x6e : LETTER_R
      continue
    }
    bytes[at++] = byte
  }
  bytes[at++] = TAB
  out.length = at
}
