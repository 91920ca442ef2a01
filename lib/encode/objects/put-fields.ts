import type { FieldCodec, PutCommon } from '../codecs/codec.ts'
import { bytesOf, type Parameter } from '../codecs/parameter.ts'
import { compile, MAX_UNROLLED } from '../compile.ts'
import { ValueError, whyNotEncoded } from '../value-error.ts'
import { putNull } from '../wire/binary-format.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { needsOwnField, readField, readOwnField } from './read-field.ts'

/** A column of a binary row. */
export interface BinaryField {
  readonly name: string
  readonly put: NonNullable<FieldCodec['binary']>
  readonly text: FieldCodec['text']
  readonly takesViews?: true | undefined
  readonly common?: PutCommon | undefined
}

/**
 * Appends the fields of a row. Returns the index of the field whose value has no exact binary form, or -1.
 * @throws ValueError for a value that cannot be encoded
 */
export type PutFields = (out: ByteBuffer, row: object) => number

/** Returns the unrolled function where that is possible and faster, else the loop. */
export function makePutFields(fields: readonly BinaryField[]): PutFields {
  return (fields.length <= MAX_UNROLLED && unrolled(fields)) || looped(fields)
}

/**
 * The loop below as separate code for each column, so that V8 can optimize each call for its codec and its
 * values: 20 to 50 % less time. The text of the function contains column numbers and no other input.
 * @returns undefined in a process that must not make code from strings
 */
export function unrolled(fields: readonly BinaryField[]): PutFields | undefined {
  const makers = fields.map((_, i) => `const { name: name${i}, put: put${i}, text: text${i} } = fields[${i}]`)
  const steps = fields.map(
    ({ name, takesViews }, i) => `
      at = ${i}
      start = out.length
      value = ${needsOwnField(name) ? `readOwnField(row, name${i})` : `row[name${i}]`}
      if (value === null || value === undefined) putNull(out)
      ${takesViews ? '' : "else if (typeof value === 'object' && isView(value)) putView(out, value)"}
      else if (!put${i}(out, value) && !putOther(out, start, value, text${i})) return ${i}`,
  )
  const text = `
    ${makers.join('\n')}
    return (out, row) => {
      let at, start, value
      try {${steps.join('')}
        return -1
      } catch (error) {
        throw unencodable(fields[at], error)
      }
    }`
  return compile(text, { fields, ...PARTS })
}

export function looped(fields: readonly BinaryField[]): PutFields {
  const readers = fields.map(({ name }) => (needsOwnField(name) ? readOwnField : readField))
  return (out, row) => {
    let at = 0
    try {
      for (; at < fields.length; at++) {
        const field = fields[at]!
        if (!putField(out, readers[at]!(row, field.name), field)) return at
      }
      return -1
    } catch (error) {
      throw unencodable(fields[at]!, error)
    }
  }
}

/** Appends one field. Returns false for a value that has no exact binary form. */
export function putField(
  out: ByteBuffer,
  value: unknown,
  { put, text, takesViews }: Omit<BinaryField, 'name'>,
): boolean {
  const start = out.length
  if (value === null || value === undefined) putNull(out)
  else if (!takesViews && typeof value === 'object' && ArrayBuffer.isView(value)) putView(out, value)
  else return put(out, value) || putOther(out, start, value, text)
  return true
}

function putView(out: ByteBuffer, value: ArrayBufferView): void {
  out.putInt32(value.byteLength)
  out.putBytes(bytesOf(value))
}

/**
 * Appends the field of an object that the codec does not know, if the object converts itself to NULL or to
 * the bytes of a binary parameter.
 */
function putOther(out: ByteBuffer, start: number, value: unknown, text: FieldCodec['text']): boolean {
  out.length = start
  if (typeof value !== 'object') return false
  const parameter: Parameter = text(value)
  if (typeof parameter === 'string') return false
  if (parameter === null) putNull(out)
  else putView(out, parameter)
  return true
}

function unencodable({ name }: BinaryField, error: unknown): ValueError {
  return new ValueError(name, whyNotEncoded(error), error)
}

/** The functions that the unrolled code calls. */
const PARTS = { readOwnField, isView: ArrayBuffer.isView, putNull, putView, putOther, unencodable }
