import type { ByteBuffer } from '../../../wire/byte-buffer.ts'
import type { FieldCodec } from '../../codec.ts'
import { floats, floatsText, readFloats } from './floats.ts'
import { toHalf } from './to-half.ts'

/**
 * pgvector's vector: the number of dimensions, two bytes of zero, and the floats.
 * @see https://github.com/pgvector/pgvector/blob/master/src/vector.c (vector_recv)
 */
export const vector: FieldCodec = {
  takesViews: true,
  text: floatsText,
  binary(out, value) {
    const count = readFloats(value)
    if (count < 0) return false
    let at = putHead(out, count, 4)
    const { view } = out
    for (let i = 0; i < count; i++, at += 4) view.setFloat32(at, floats[i]!)
    out.length = at
    return true
  },
}

/**
 * pgvector's halfvec: the same with floats of 16 bits, which the server rounds from floats of 32 bits, too.
 * @see https://github.com/pgvector/pgvector/blob/master/src/halfvec.c (halfvec_recv)
 */
export const halfvec: FieldCodec = {
  takesViews: true,
  text: floatsText,
  binary(out, value) {
    const count = readFloats(value)
    if (count < 0) return false
    let at = putHead(out, count, 2)
    const { view } = out
    for (let i = 0; i < count; i++, at += 2) {
      const half = toHalf(floats[i]!)
      if (half < 0) return false
      view.setInt16(at, half)
    }
    out.length = at
    return true
  },
}

/** Writes what precedes the floats, and makes room for them. Returns where they go; `length` stays. */
function putHead(out: ByteBuffer, count: number, bytesEach: number): number {
  out.reserve(8 + count * bytesEach)
  const { view, length } = out
  view.setInt32(length, 4 + count * bytesEach)
  view.setInt16(length + 4, count)
  view.setInt16(length + 6, 0)
  return length + 8
}
