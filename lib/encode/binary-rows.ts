import type { Column } from '../types.ts'
import type { ByteBuffer } from './byte-buffer.ts'
import { codecFor } from './codec-for.ts'
import { bytesOf, type Parameter } from './parameter.ts'
import { needsOwnField, readField, readOwnField } from './read-field.ts'
import type { RowEncoder } from './row-contract.ts'
import { ValueError } from './value-error.ts'

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension. */
export const BINARY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

export const BINARY_TRAILER = -1
export const NULL_FIELD = -1

/**
 * Tuples of COPY's binary format: the count of fields, then each field's length and bytes.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function makeBinaryRowEncoder(columns: readonly Column[], staging?: { shape: number }): RowEncoder {
  const fields = columns.map(({ name, type }) => {
    const { binary: put, text } = codecFor(type)
    if (!put)
      throw new TypeError(`Column ${JSON.stringify(name)}: type ${type.sqlName} has no binary form here`)
    return { name, read: needsOwnField(name) ? readOwnField : readField, put, text }
  })
  const fieldCount = fields.length + (staging ? 2 : 0)

  return {
    format: 'binary',
    begin: out => out.putBytes(BINARY_SIGNATURE),
    row(out, row, ordinal) {
      const start = out.length
      let i = 0
      try {
        out.putInt16(fieldCount)
        for (; i < fields.length; i++) {
          const { name, read, put, text } = fields[i]!
          const value = read(row, name)
          const fieldStart = out.length
          if (value === null || value === undefined) {
            out.putInt32(NULL_FIELD)
          } else if (typeof value === 'object' && ArrayBuffer.isView(value)) {
            out.putInt32(value.byteLength)
            out.putBytes(bytesOf(value))
          } else if (!put(out, value)) {
            out.length = fieldStart
            if (typeof value !== 'object' || !putParameter(out, text(value))) {
              out.length = start
              return name
            }
          }
        }
      } catch (error) {
        out.length = start
        throw new ValueError(fields[i]?.name ?? '', 'the value could not be encoded', error)
      }
      if (staging) {
        out.putInt32(4)
        out.putInt32(ordinal)
        out.putInt32(4)
        out.putInt32(staging.shape)
      }
      return undefined
    },
    end: out => out.putInt16(BINARY_TRAILER),
  }
}

/** What an object turned into, where that is a field in any type: NULL, or the bytes of a binary parameter. */
function putParameter(out: ByteBuffer, parameter: Parameter): boolean {
  if (parameter === null) {
    out.putInt32(NULL_FIELD)
    return true
  }
  if (typeof parameter === 'string') return false
  out.putInt32(parameter.length)
  out.putBytes(parameter)
  return true
}
