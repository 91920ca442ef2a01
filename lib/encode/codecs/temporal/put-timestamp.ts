import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** Appends a timestamp, in seconds and microseconds since 2000-01-01. */
export function putSeconds(out: ByteBuffer, seconds: number, micros: number): boolean {
  return putInt64(out, seconds, 1_000_000, micros)
}

/** Appends a timestamp, in milliseconds since 2000-01-01. */
export function putMilliseconds(out: ByteBuffer, milliseconds: number): boolean {
  return putInt64(out, milliseconds, 1000, 0)
}

/** Appends an int8 of `count * unit + rest`, where the product may need more bits than a double has. */
function putInt64(out: ByteBuffer, count: number, unit: number, rest: number): boolean {
  const high = Math.floor(count / 0x1_0000_0000)
  const low = (count - high * 0x1_0000_0000) * unit + rest
  out.reserve(12)
  out.view.setInt32(out.length, 8)
  out.view.setInt32(out.length + 4, high * unit + Math.floor(low / 0x1_0000_0000))
  out.view.setInt32(out.length + 8, low)
  out.length += 12
  return true
}
