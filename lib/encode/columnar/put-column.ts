import type { ByteBuffer } from '../wire/byte-buffer.ts'
import type { ColumnEncoder } from './column-encoder.ts'
import { type FieldRun, NULL_LENGTH } from './field-run.ts'
import type { FixedValues } from './put-fixed.ts'

/** Up to this length copying words costs less than a call into the engine. */
const SHORT = 96

/** Writes the fields of a column, each to its row's place, and moves the places past them. */
export function putColumn(out: ByteBuffer, places: Int32Array, column: ColumnEncoder, count: number): void {
  if (column.fixed) putFixed(out.view, places, column.fields, column.fixed, count)
  else putLocated(out, places, column, count)
}

function putFixed(
  view: DataView,
  places: Int32Array,
  { starts, lengths }: FieldRun,
  { size, put }: FixedValues,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = places[i]!
    const length = lengths[i]!
    view.setInt32(at, length)
    if (length !== NULL_LENGTH) put(view, at + 4, starts[i]!)
    places[i] = at + 4 + (length === NULL_LENGTH ? 0 : size)
  }
}

function putLocated(
  out: ByteBuffer,
  places: Int32Array,
  { fields, head }: ColumnEncoder,
  count: number,
): void {
  const { bytes: target, view } = out
  const { bytes, view: source, starts, lengths } = fields
  const headBytes = head.length
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    let at = places[i]!
    if (length === NULL_LENGTH) {
      view.setInt32(at, NULL_LENGTH)
      places[i] = at + 4
      continue
    }
    view.setInt32(at, headBytes + length)
    at += 4
    for (let h = 0; h < headBytes; h++) target[at++] = head[h]!
    let from = starts[i]!
    const end = from + length
    places[i] = at + length
    if (length > SHORT) {
      bytes.copy(target, at, from, end)
      continue
    }
    for (; from + 4 <= end; from += 4) {
      view.setInt32(at, source.getInt32(from))
      at += 4
    }
    for (; from < end; from++) target[at++] = bytes[from]!
  }
}
