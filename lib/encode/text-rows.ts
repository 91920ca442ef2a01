import type { Column } from '../types.ts'
import { codecFor } from './codec-for.ts'
import { putCopyText } from './copy-text.ts'
import { needsOwnField, readField, readOwnField } from './read-field.ts'
import type { RowEncoder } from './row-contract.ts'
import { ValueError } from './value-error.ts'

const TAB = 0x09
const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const LETTER_N = 0x4e

/**
 * Rows of COPY's text format: fields between tabs, `\N` for NULL, a newline after each row.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function makeTextRowEncoder(columns: readonly Column[], staging?: { shape: number }): RowEncoder {
  const fields = columns.map(({ name, type }) => ({
    name,
    read: needsOwnField(name) ? readOwnField : readField,
    codec: codecFor(type),
  }))

  return {
    format: 'text',
    begin() {},
    row(out, row, ordinal) {
      const start = out.length
      let i = 0
      try {
        for (; i < fields.length; i++) {
          const { name, read, codec } = fields[i]!
          const value = read(row, name)
          const parameter = value === null || value === undefined ? null : codec.text(value)
          const text =
            typeof parameter === 'object' && parameter !== null
              ? (codec.textOfBinary?.(parameter) ?? noText(name, parameter.length))
              : parameter
          if (text === null) {
            out.reserve(3)
            out.bytes[out.length++] = BACKSLASH
            out.bytes[out.length++] = LETTER_N
          } else {
            putCopyText(out, text)
            out.reserve(1)
          }
          out.bytes[out.length++] = TAB
        }
        if (staging) {
          putCopyText(out, `${ordinal}`)
          out.reserve(1)
          out.bytes[out.length++] = TAB
          putCopyText(out, `${staging.shape}`)
          out.reserve(1)
          out.length++
        } else if (fields.length === 0) {
          out.reserve(1)
          out.length++
        }
        out.bytes[out.length - 1] = NEWLINE // in place of the last tab
      } catch (error) {
        out.length = start
        throw error instanceof ValueError
          ? error
          : new ValueError(fields[i]?.name ?? '', 'the value could not be turned into text', error)
      }
      return undefined
    },
    end() {},
  }
}

function noText(column: string, byteCount: number): never {
  throw new ValueError(column, `${byteCount} bytes have no text form for the column's type`)
}
