import { NOT_COMMON } from '../codecs/codec.ts'
import { compile, MAX_UNROLLED } from '../compile.ts'
import type { EncodeRows, Staging } from '../row-contract.ts'
import { whileCommon } from '../while-common.ts'
import { putStagingAt, tupleFieldsOf } from '../wire/binary-format.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { type BinaryField, putField } from './put-fields.ts'
import { needsOwnField, readOwnField } from './read-field.ts'

/** Writes a row at an index of `out.bytes`, see `PutCommon`. */
type PutRow = (out: ByteBuffer, at: number, row: object) => number

/**
 * Room for each row, and at least a quarter more than the longest so far took: V8 drops its code for a
 * function that writes past the end.
 */
const MIN_ROOM = 4096

/** More is never made before a row is written: one huge value would make each later piece as large. */
const MAX_ROOM = 32 * 1024

/**
 * Encodes most rows, with the same bytes as `makeBinaryRowEncoder` makes of each, in half of the time. It
 * stops before a row that this format cannot write, that throws or that is long, which is then encoded by
 * itself.
 * @returns undefined where code cannot be made from strings, or would be too much to be optimized
 */
export function makeCommonRows(
  fields: readonly BinaryField[],
  staging: Staging | undefined,
): EncodeRows | undefined {
  const putRow = fields.length <= MAX_UNROLLED ? unrolled(fields, staging) : undefined
  if (!putRow) return undefined
  let room = MIN_ROOM
  return whileCommon((out, rows, from, firstOrdinal, limit) => {
    const { length } = rows
    let index = from
    let at = out.length
    try {
      while (index < length && at < limit) {
        if (at + room > out.bytes.length) {
          out.length = at
          out.reserve(room)
        }
        let end = putRow(out, at, rows.at(index))
        if (end === NOT_COMMON) break
        if (staging) end = putStagingAt(out.view, end, firstOrdinal + rows.itemAt(index), staging.shape)
        if (end > out.bytes.length) break
        room = Math.min(MAX_ROOM, Math.max(room, Math.ceil((end - at) * 1.25)))
        at = end
        index++
      }
    } catch {
      // the row is read again, by the encoder that says what is wrong with it or has room for it
    }
    out.length = at
    return index
  })
}

/**
 * Returns a function with separate code for each column. The text of the function contains column numbers and
 * no other input.
 */
function unrolled(fields: readonly BinaryField[], staging: Staging | undefined): PutRow | undefined {
  const fieldCount = tupleFieldsOf(fields.length, staging)
  const makers = fields.map((_, i) => `const { name: name${i}, common: put${i} } = fields[${i}]`)
  const steps = fields.map(
    ({ name, common }, i) => `
      value = ${needsOwnField(name) ? `readOwnField(row, name${i})` : `row[name${i}]`}
      if (value === null || value === undefined) {
        out.view.setInt32(at, -1)
        at += 4
      } else {
        end = ${common ? `put${i}(out, at, value)` : -1}
        if (end < 0) {
          end = putOther(out, at, value, fields[${i}])
          if (end < 0) return -1
        }
        at = end
      }`,
  )
  const text = `
    ${makers.join('\n')}
    return (out, at, row) => {
      let value, end
      out.view.setInt16(at, ${fieldCount})
      at += 2${steps.join('')}
      return at
    }`
  return compile(text, { fields, readOwnField, putOther })
}

/** Writes a value that is not a common one of its type. */
function putOther(out: ByteBuffer, at: number, value: unknown, field: BinaryField): number {
  // a field before it had no room, and would have none of its bytes in the room that is made now
  if (at > out.bytes.length) return NOT_COMMON
  out.length = at
  return putField(out, value, field) ? out.length : NOT_COMMON
}
