import { codecFor } from '../codecs/codec-for.ts'
import type { RowEncoder, RowEncoderOptions } from '../row-contract.ts'
import { BINARY_FORMAT, putStaging, tupleFieldsOf } from '../wire/binary-format.ts'
import { makeCommonRows } from './common-rows.ts'
import { makePutFields, type PutFields } from './put-fields.ts'

/**
 * Encodes objects as tuples of COPY's binary format: the count of fields, then the length and bytes of each
 * field.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function makeBinaryRowEncoder({
  columns,
  own,
  staging,
}: Omit<RowEncoderOptions, 'format' | 'csv'>): RowEncoder {
  const fields = columns.map(({ name, type }) => {
    const { binary: put, text, takesViews, common } = codecFor(type, own)
    if (!put)
      throw new TypeError(`Column ${JSON.stringify(name)}: type ${type.sqlName} has no binary form here`)
    return { name, put, text, takesViews, common }
  })
  const fieldCount = tupleFieldsOf(fields.length, staging)
  let putFields: PutFields | undefined // few rows need it

  return {
    ...BINARY_FORMAT,
    rows: makeCommonRows(fields, staging),
    row(out, row, ordinal) {
      const start = out.length
      try {
        out.putInt16(fieldCount)
        putFields ??= makePutFields(fields)
        const needsText = putFields(out, row)
        if (needsText >= 0) {
          out.length = start
          return fields[needsText]!.name
        }
      } catch (error) {
        out.length = start
        throw error
      }
      if (staging) putStaging(out, ordinal, staging.shape)
      return undefined
    },
  }
}
