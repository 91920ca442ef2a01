import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** Appends a timestamp, in seconds and microseconds since 2000-01-01. */
export function putSeconds(out: ByteBuffer, seconds: number, micros: number): boolean {
  return putInt64(out, seconds, 1_000_000, micros)
}

/** Appends a timestamp, in milliseconds since 2000-01-01. */
export function putMilliseconds(out: ByteBuffer, milliseconds: number): boolean {
  return putInt64(out, milliseconds, 1000, 0)
}

/** Writes the same at an index of `out.bytes`, see `PutCommon`. */
export function putMillisecondsAt(out: ByteBuffer, at: number, milliseconds: number): number {
  return putInt64At(out, at, milliseconds, 1000, 0)
}

function putInt64(out: ByteBuffer, count: number, unit: number, rest: number): boolean {
  out.reserve(12)
  out.length = putInt64At(out, out.length, count, unit, rest)
  return true
}

/** Writes an int8 of `count * unit + rest`, where the product may need more bits than a double has. */
function putInt64At(out: ByteBuffer, at: number, count: number, unit: number, rest: number): number {
  const high = Math.floor(count / 0x1_0000_0000)
  const low = (count - high * 0x1_0000_0000) * unit + rest
  const { view } = out
  view.setInt32(at, 8)
  view.setInt32(at + 4, high * unit + Math.floor(low / 0x1_0000_0000))
  view.setInt32(at + 8, low)
  return at + 12
}
