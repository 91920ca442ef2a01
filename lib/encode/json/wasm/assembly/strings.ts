/** Copies strings of JSON, which are known to be valid. */

import { readHex } from '../../../../json/assembly/hex'
import {
  BACKSLASH,
  LOWER_B,
  LOWER_F,
  LOWER_N,
  LOWER_R,
  LOWER_T,
  LOWER_U,
} from '../../../../values/text/ascii'
import { copyUntil, readTo } from '../../../wasm/assembly/texts'

/**
 * Copies the characters of a string without its escapes. Returns the address after the copy, or 0 for a
 * character 0, which the server refuses.
 */
export function unescapeText(at: usize, end: usize, out: usize): usize {
  out = copyUntil(BACKSLASH, at, end, out)
  while (readTo < end) {
    const letter: i32 = load<u8>(readTo + 1)
    if (letter === LOWER_U) {
      const unit = readHex(readTo + 2)
      if (unit === 0) return 0
      const isPair = unit >> 10 === 0x36
      const character = isPair ? 0x10000 + ((unit & 0x3ff) << 10) + (readHex(readTo + 8) & 0x3ff) : unit
      out = putUtf8(character, out)
      at = readTo + (isPair ? 12 : 6)
    } else {
      store<u8>(out++, meaningOf(letter) as u8)
      at = readTo + 2
    }
    out = copyUntil(BACKSLASH, at, end, out)
  }
  return out
}

/** Returns the character that a letter means after a backslash. */
function meaningOf(letter: i32): i32 {
  switch (letter) {
    case LOWER_B:
      return 0x08
    case LOWER_F:
      return 0x0c
    case LOWER_N:
      return 0x0a
    case LOWER_R:
      return 0x0d
    case LOWER_T:
      return 0x09
    default:
      return letter // a quote, a backslash or a slash
  }
}

function putUtf8(character: i32, out: usize): usize {
  if (character < 0x80) {
    store<u8>(out, character as u8)
    return out + 1
  }
  if (character < 0x800) {
    store<u8>(out, (0xc0 | (character >> 6)) as u8)
    return putRest(character, 0, out + 1)
  }
  if (character < 0x10000) {
    store<u8>(out, (0xe0 | (character >> 12)) as u8)
    return putRest(character, 6, out + 1)
  }
  store<u8>(out, (0xf0 | (character >> 18)) as u8)
  return putRest(character, 12, out + 1)
}

/** Writes the bytes after the first one, each with six bits. */
function putRest(character: i32, shift: i32, out: usize): usize {
  for (; shift >= 0; shift -= 6) store<u8>(out++, (0x80 | ((character >> shift) & 0x3f)) as u8)
  return out
}
