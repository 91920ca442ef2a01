import { codecFor } from '../codecs/codec-for.ts'
import type { RowEncoder, RowEncoderOptions } from '../row-contract.ts'
import { ValueError, whyNotEncoded } from '../value-error.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { putCopyText } from '../wire/copy-text.ts'
import { endTextRow, putTextDefault, putTextNull, putTextStaging, TAB } from '../wire/text-format.ts'
import { needsOwnField, readField, readOwnField } from './read-field.ts'

/** Encodes objects as lines of COPY's text format. */
export function makeTextRowEncoder({
  columns,
  own,
  staging,
  marksDefaults = false,
}: Omit<RowEncoderOptions, 'format' | 'csv'>): RowEncoder {
  const fields = columns.map(({ name, type, hasDefault }) => ({
    name,
    marksDefault: marksDefaults && hasDefault,
    read: needsOwnField(name) ? readOwnField : readField,
    codec: codecFor(type, own),
  }))

  return {
    format: 'text',
    begin() {},
    row(out, row, ordinal) {
      const start = out.length
      let i = 0
      try {
        for (; i < fields.length; i++) {
          const { name, read, codec, marksDefault } = fields[i]!
          const value = read(row, name)
          if (value === undefined && marksDefault) {
            putTextDefault(out)
            continue
          }
          const parameter = value === null || value === undefined ? null : codec.text(value)
          const text =
            typeof parameter === 'object' && parameter !== null ? codec.textOfBinary?.(parameter) : parameter
          if (text === undefined) {
            out.length = start
            return name
          }
          if (text === null) putTextNull(out)
          else putTextField(out, text)
        }
        if (staging) putTextStaging(out, ordinal, staging.shape)
        else if (fields.length === 0) putTextField(out, '')
        endTextRow(out)
      } catch (error) {
        out.length = start
        throw new ValueError(fields[i]?.name ?? '', whyNotEncoded(error), error)
      }
      return undefined
    },
    end() {},
  }
}

function putTextField(out: ByteBuffer, text: string): void {
  putCopyText(out, text)
  out.reserve(1)
  out.bytes[out.length++] = TAB
}
