/** Finds and copies text, 16 bytes at a time. Reads and writes up to 16 bytes past the end of both. */

import { DASH, ZERO } from '../../../values/text/ascii'
import { put32 } from './fields'

const BLOCK: usize = 16

/** Returns the address of the first `byte`, or `end`. */
export function find(byte: i32, at: usize, end: usize): usize {
  const wanted = i8x16.splat(byte as i8)
  for (; at < end; at += BLOCK) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (found) return min(at + ctz(found), end)
  }
  return end
}

/** The address after the bytes that the last call of `copyUntil` or `findClose` has read. */
export let readTo: usize = 0

/** Copies up to the first `byte`, or to `end`. Returns the address after the copy. */
export function copyUntil(byte: i32, at: usize, end: usize, out: usize): usize {
  const wanted = i8x16.splat(byte as i8)
  for (; at < end; at += BLOCK, out += BLOCK) {
    const block = v128.load(at)
    v128.store(out, block)
    const found = i8x16.bitmask(i8x16.eq(block, wanted))
    if (found) {
      const length = min(ctz(found) as usize, end - at)
      readTo = at + length
      return out + length
    }
  }
  readTo = end
  return out - (at - end)
}

/**
 * Copies quoted text, without the quotes that are written twice. `at` is the address after the opening quote.
 * `readTo` is then the address of the closing quote.
 */
export function unquote(quote: i32, at: usize, end: usize, out: usize): usize {
  out = copyUntil(quote, at, end, out)
  while (readTo + 1 < end && load<u8>(readTo + 1) === quote) {
    store<u8>(out, quote as u8)
    out = copyUntil(quote, readTo + 2, end, out + 1)
  }
  return out
}

/** Finds the closing quote of a value in which no quote is written twice; returns 0 otherwise. */
export function findClose(quote: i32, at: usize, end: usize): usize {
  const close = find(quote, at, end)
  if (close + 1 < end && load<u8>(close + 1) === quote) return 0
  readTo = close
  return close
}

/** Writes a uuid of 8-4-4-4-12 hex digits; returns 0 for anything else. */
export function putUuid(at: usize, end: usize, out: usize): usize {
  if (end - at !== 36) return 0
  out = put32(out, 16)
  for (let digit: usize = 0; digit < 36; digit += 2) {
    if (digit === 8 || digit === 13 || digit === 18 || digit === 23) {
      if (load<u8>(at + digit) !== DASH) return 0
      digit++
    }
    const byte = (hexDigit(load<u8>(at + digit)) << 4) | hexDigit(load<u8>(at + digit + 1))
    if (byte < 0) return 0
    store<u8>(out++, byte as u8)
  }
  return out
}

/** Returns the value of a hex digit in either case; -1 for another character. */
function hexDigit(character: i32): i32 {
  const decimal = character - ZERO
  if ((decimal as u32) < 10) return decimal
  const letter = (character | 0x20) - 0x61
  return (letter as u32) < 6 ? letter + 10 : -1
}

/** Writes `t`, `f`, `true`, `false`, `1` or `0`; returns 0 for anything else. */
export function putBoolean(at: usize, end: usize, out: usize): usize {
  const first = load<u8>(at)
  const length = end - at
  const isTrue = first === 0x74 || first === 0x31
  if (!isTrue && first !== 0x66 && first !== 0x30) return 0
  if (length === 4) {
    if (load<u32>(at) !== 0x65757274) return 0 // "true"
  } else if (length === 5) {
    if (load<u32>(at) !== 0x736c6166 || load<u8>(at + 4) !== 0x65) return 0 // "fals", "e"
  } else if (length !== 1) return 0
  out = put32(out, 1)
  store<u8>(out, isTrue ? 1 : 0)
  return out + 1
}
