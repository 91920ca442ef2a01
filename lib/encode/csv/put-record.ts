import type { ScanField } from '../codecs/codec.ts'
import { compile, MAX_UNROLLED } from '../compile.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'

/** A field of the records of a file. */
export interface RecordField {
  /**
   * Reads an unquoted value that is not empty; undefined where such a value may mean NULL, or is not written.
   */
  readonly scan: ScanField | undefined
  /** Reads any field. Returns the index after it, or NEEDS_TEXT. */
  readonly put: (out: ByteBuffer, chunk: Buffer, at: number, end: number) => number
}

/** The bytes between fields and around them. */
export interface FieldMarks {
  readonly delimiter: number
  readonly quote: number | undefined
}

/**
 * Appends the fields of a record. Returns the index of the one that has no exact binary form, else WHOLE or
 * RAGGED.
 */
export type PutRecord = (out: ByteBuffer, chunk: Buffer, start: number, end: number) => number

export const WHOLE = -1
/** The record has too few fields, or too many. */
export const RAGGED = -2

/** Returns the unrolled function where that is possible and faster, else the loop. */
export function makePutRecord(fields: readonly RecordField[], marks: FieldMarks): PutRecord {
  return (fields.length <= MAX_UNROLLED && unrolled(fields, marks)) || looped(fields, marks)
}

/**
 * The loop below as separate code for each field, so that V8 can optimize each call for its codec: 25 % less
 * time.
 */
export function unrolled(fields: readonly RecordField[], marks: FieldMarks): PutRecord | undefined {
  const takes = fields.map((_, i) => `const { scan: scan${i}, put: put${i} } = fields[${i}]`)
  const steps = fields.map(({ scan }, i) => {
    const put = `put${i}(out, chunk, at, end)`
    const either = `byte === delimiter || byte === quote ? ${put} : scan${i}(out, chunk, at, end, delimiter)`
    return `
      byte = at < end ? chunk[at] : delimiter
      at = ${scan ? either : put}
      if (at < 0) return ${i}
      if (at ${i === fields.length - 1 ? '<' : '>='} end) return RAGGED
      at++`
  })
  const text = `
    ${takes.join('\n')}
    return (out, chunk, start, end) => {
      let at = start, byte
      ${steps.join('')}
      return WHOLE
    }`
  return compile(text, { fields, ...marks, WHOLE, RAGGED })
}

export function looped(fields: readonly RecordField[], { delimiter, quote }: FieldMarks): PutRecord {
  const last = fields.length - 1
  return (out, chunk, start, end) => {
    let at = start
    for (let field = 0; field <= last; field++) {
      const { scan, put } = fields[field]!
      const byte = at < end ? chunk[at]! : delimiter
      at =
        !scan || byte === delimiter || byte === quote
          ? put(out, chunk, at, end)
          : scan(out, chunk, at, end, delimiter)
      if (at < 0) return field
      if (at >= end !== (field === last)) return RAGGED
      at++
    }
    return WHOLE
  }
}
