/**
 * Writes fields of binary COPY: the length of the value in bytes, then the value, all in network byte order.
 * Each function returns the address after the field.
 */

export function put16(out: usize, value: i32): usize {
  store<u16>(out, bswap<u16>(value as u16))
  return out + 2
}

export function put32(out: usize, value: i32): usize {
  store<u32>(out, bswap<u32>(value as u32))
  return out + 4
}

/** WebAssembly can reverse the bytes of a vector by one instruction, but not those of an integer. */
export function put64(out: usize, value: i64): usize {
  const bytes = i64x2.splat(value)
  const reversed = i8x16.shuffle(bytes, bytes, 7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0)
  store<i64>(out, i64x2.extract_lane(reversed, 0))
  return out + 8
}

export function putNull(out: usize): usize {
  return put32(out, -1)
}

export function putInt16Field(out: usize, value: i32): usize {
  return put16(put32(out, 2), value)
}

export function putInt32Field(out: usize, value: i32): usize {
  return put32(put32(out, 4), value)
}

export function putInt64Field(out: usize, value: i64): usize {
  return put64(put32(out, 8), value)
}

export function putFloat64Field(out: usize, value: f64): usize {
  return putInt64Field(out, reinterpret<i64>(value))
}
