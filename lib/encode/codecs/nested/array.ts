import type { PgType } from '../../../types.ts'
import { closeField } from '../../wire/binary-format.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec } from '../codec.ts'
import {
  arrayLiteral,
  bytesOf,
  type Parameter,
  prepareValue,
  quoteElement,
  viewInArray,
} from '../parameter.ts'
import { bytea } from '../text/bytea.ts'

/**
 * Arrays: dimensions, whether there are NULLs, the element type, and the fields of the elements. Exact for
 * rectangular JavaScript arrays if every element is exact. Nested arrays are dimensions for every element
 * type, also for json, as in the array literals of `pg`. Ragged arrays and strings are left to the server's
 * array_in.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c (array_recv)
 */
export function arrayOf(
  element: FieldCodec,
  { oid: elementOid, delimiter }: Pick<PgType, 'oid' | 'delimiter'>,
): FieldCodec {
  const elementText = (item: unknown): string =>
    ArrayBuffer.isView(item) && !element.takesViews ? viewInArray(item) : quoteElement(element.text(item))
  const text = (value: unknown): Parameter =>
    Array.isArray(value) ? arrayLiteral(value, elementText, delimiter) : prepareValue(value)
  const putElement = element.binary
  if (putElement === undefined) return { text }

  function putLevel(
    out: ByteBuffer,
    items: readonly unknown[],
    sizes: readonly number[],
    depth: number,
  ): number {
    if (items.length !== sizes[depth]) return RAGGED
    const isLast = depth === sizes.length - 1
    let hasNull = 0
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (isLast) {
        if (item === null || item === undefined) {
          out.putInt32(-1)
          hasNull = 1
        } else if (ArrayBuffer.isView(item) && !element.takesViews) {
          // `pg` writes a view inside an array as the text '\x…'
          if (element !== bytea) return RAGGED
          out.putInt32(item.byteLength)
          out.putBytes(bytesOf(item))
        } else if (Array.isArray(item) || !putElement?.(out, item)) {
          return RAGGED
        }
      } else {
        const inner = Array.isArray(item) ? putLevel(out, item, sizes, depth + 1) : RAGGED
        if (inner === RAGGED) return RAGGED
        hasNull |= inner
      }
    }
    return hasNull
  }

  return {
    text,
    binary(out, value) {
      if (!Array.isArray(value)) return false
      const sizes = sizesOf(value)
      if (sizes === undefined) return false
      const start = out.length
      out.reserve(16 + sizes.length * 8)
      out.length += 8
      out.putInt32(0)
      out.putInt32(elementOid)
      for (const size of sizes) {
        out.putInt32(size)
        out.putInt32(1) // subscripts begin at 1
      }
      const hasNull = sizes.length === 0 ? 0 : putLevel(out, value, sizes, 0)
      if (hasNull === RAGGED) return false
      closeField(out, start)
      out.view.setInt32(start + 4, sizes.length)
      out.view.setInt32(start + 8, hasNull)
      return true
    },
  }
}

const RAGGED = -1

/** MAXDIM of utils/array.h. */
const MAX_DIMENSIONS = 6

/**
 * Returns the length of each dimension; none for `[]`; undefined where an inner array is empty or too deep.
 */
function sizesOf(value: readonly unknown[]): number[] | undefined {
  const sizes: number[] = []
  let level: unknown = value
  while (Array.isArray(level)) {
    if (level.length === 0) return sizes.length === 0 ? sizes : undefined
    sizes.push(level.length)
    if (sizes.length > MAX_DIMENSIONS) return undefined
    level = level[0]
  }
  return sizes
}
