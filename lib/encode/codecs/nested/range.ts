import { closeField } from '../../wire/binary-format.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec, PutField } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { ItemReader } from './quoted-item.ts'

/**
 * Ranges: flags, and the fields of the bounds that are not infinite. Exact where the bounds are: the server
 * brings both forms into its canonical one. White space around a range is left to the server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/rangetypes.c (range_recv,
 *   range_parse)
 */
export function rangeOf(bound: FieldCodec): FieldCodec {
  const putBound = bound.binary
  if (putBound === undefined) return { text: prepareValue }
  return {
    text: prepareValue,
    binary(out, value) {
      const text = stringOf(value)
      return text !== undefined && putRange(out, text, 0, putBound) === text.length
    },
  }
}

/**
 * Multiranges: the number of ranges, and the field of each. One space may follow a comma.
 * @param bound the codec of the bounds
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/multirangetypes.c
 */
export function multirangeOf(bound: FieldCodec): FieldCodec {
  const putBound = bound.binary
  if (putBound === undefined) return { text: prepareValue }
  return {
    text: prepareValue,
    binary(out, value) {
      const text = stringOf(value)
      if (text === undefined) return false
      const start = out.length
      out.putInt32(0)
      out.putInt32(0)
      const count = putRanges(out, text, putBound)
      if (count < 0) return false
      closeField(out, start)
      out.view.setInt32(start + 4, count)
      return true
    },
  }
}

/** Appends the fields of all ranges; returns how many there are, or -1. */
function putRanges(out: ByteBuffer, text: string, putBound: PutField): number {
  if (text === '{}') return 0
  if (text.charCodeAt(0) !== OPEN_BRACE) return -1
  let count = 0
  for (let at = 1; ; count++) {
    at = putRange(out, text, at, putBound)
    if (at < 0) return -1
    const code = text.charCodeAt(at++)
    if (code === CLOSE_BRACE) return at === text.length ? count + 1 : -1
    if (code !== COMMA) return -1
    if (text.charCodeAt(at) === SPACE) at++
  }
}

/** Appends the field of the range that begins here; returns the index after it, or -1. */
function putRange(out: ByteBuffer, text: string, start: number, putBound: PutField): number {
  const field = out.length
  out.putInt32(1)
  out.reserve(1)
  out.length++
  if (text.startsWith(EMPTY_TEXT, start)) {
    out.bytes[field + 4] = EMPTY
    return start + EMPTY_TEXT.length
  }
  const open = text.charCodeAt(start)
  if (open !== BRACKET && open !== PARENTHESIS) return -1
  const lower = bounds.read(text, start + 1)
  const comma = bounds.end // kept: a bound that is a range itself uses the same reader
  if (lower === undefined || text.charCodeAt(comma) !== COMMA) return -1
  if (lower !== null && !putBound(out, lower)) return -1
  const upper = bounds.read(text, comma + 1)
  if (upper === undefined) return -1
  const close = text.charCodeAt(bounds.end)
  const end = bounds.end + 1
  if (close === COMMA || (upper !== null && !putBound(out, upper))) return -1
  closeField(out, field)
  out.bytes[field + 4] =
    (lower === null ? LOWER_INFINITE : open === BRACKET ? LOWER_INCLUSIVE : 0) |
    (upper === null ? UPPER_INFINITE : close === CLOSE_BRACKET ? UPPER_INCLUSIVE : 0)
  return end
}

const bounds = new ItemReader(',)]')

const EMPTY_TEXT = 'empty'

/** RANGE_EMPTY and the other flags of utils/rangetypes.h. */
const EMPTY = 0x01
const LOWER_INCLUSIVE = 0x02
const UPPER_INCLUSIVE = 0x04
const LOWER_INFINITE = 0x08
const UPPER_INFINITE = 0x10

const BRACKET = 0x5b
const PARENTHESIS = 0x28
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
