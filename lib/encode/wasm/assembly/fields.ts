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

export function put64(out: usize, value: i64): usize {
  store<u64>(out, bswap<u64>(value as u64))
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
