import type { ByteBuffer } from '../../../wire/byte-buffer.ts'
import type { FieldCodec } from '../../codec.ts'
import { prepareValue, stringOf } from '../../parameter.ts'
import { decimal, floats, isNumbers, MAX_FLOATS, readFloats, toFloat } from './floats.ts'

/**
 * pgvector's sparsevec: dimensions, the number of floats that are not zero, four bytes of zero, the indexes
 * of these floats from 0 on, and the floats. Exact for arrays of numbers, and for texts such as '{1:0.5}/3'
 * whose indexes ascend.
 * @see https://github.com/pgvector/pgvector/blob/master/src/sparsevec.c (sparsevec_recv)
 */
export const sparsevec: FieldCodec = {
  takesViews: true,
  text: value => (isNumbers(value) ? sparseText(value) : prepareValue(value)),
  binary(out, value) {
    const isDense = isNumbers(value)
    if (!isDense && ArrayBuffer.isView(value)) return false
    const text = isDense ? undefined : stringOf(value)
    const dimensions = isDense ? readDense(value) : text === undefined ? -1 : readSparse(text)
    if (dimensions < 0) return false
    putSparse(out, dimensions)
    return true
  },
}

/** What was read last: `count` floats, and the index of each. */
const indexes = new Int32Array(MAX_FLOATS)
let count = 0

/** Returns the number of dimensions, or -1. */
function readDense(value: unknown): number {
  const dimensions = readFloats(value)
  count = 0
  for (let i = 0; i < dimensions; i++) {
    if (floats[i] === 0) continue
    floats[count] = floats[i]!
    indexes[count++] = i
  }
  return dimensions
}

const SPARSE = /^\{([^}]*)\}\/(\d{1,10})$/
const ITEM = /^(\d{1,10}):(.+)$/

/** Reads `{1:0.5,3:2}/5`; returns the number of dimensions, or -1. */
function readSparse(text: string): number {
  const [, list = '', size = ''] = SPARSE.exec(text) ?? []
  const dimensions = Number(size)
  if (size === '' || dimensions < 1 || dimensions > MAX_INT4) return -1
  const items = list === '' ? [] : list.split(',')
  if (items.length > MAX_FLOATS) return -1
  count = 0
  let previous = 0
  for (const item of items) {
    const [, index = '', number = ''] = ITEM.exec(item) ?? []
    const float = toFloat(decimal(number, 0, number.length) ?? Number.NaN)
    const place = Number(index)
    if (index === '' || place <= previous || place > dimensions || Number.isNaN(float)) return -1
    previous = place
    if (float === 0) continue
    floats[count] = float
    indexes[count++] = place - 1
  }
  return dimensions
}

const MAX_INT4 = 0x7fffffff

function putSparse(out: ByteBuffer, dimensions: number): void {
  out.putInt32(12 + count * 8)
  out.putInt32(dimensions)
  out.putInt32(count)
  out.putInt32(0)
  out.reserve(count * 8)
  for (let i = 0; i < count; i++) out.view.setInt32(out.length + i * 4, indexes[i]!)
  out.length += count * 4
  for (let i = 0; i < count; i++) out.view.setFloat32(out.length + i * 4, floats[i]!)
  out.length += count * 4
}

/** Returns the text of a list: the numbers that are not zero, with their indexes from 1 on. */
function sparseText(list: ArrayLike<unknown>): string {
  const items = Array.from(list).flatMap((item, i) => (Number(item) === 0 ? [] : [`${i + 1}:${item}`]))
  return `{${items.join(',')}}/${list.length}`
}
