/**
 * Finds the end of JSON values. Each function returns the address after the value, or 0 for text that is not
 * JSON. No value goes past a line feed: strings have none, and it is no white space here.
 */

import { readHex } from '../../../../json/assembly/hex'
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LOWER_B,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_R,
  LOWER_T,
  LOWER_U,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  POINT,
  QUOTE,
  RETURN,
  SLASH,
  SPACE,
  TAB,
  ZERO,
} from '../../../../values/text/ascii'

const BLOCK: usize = 16

/** `null`, `true` and `fals` as numbers. */
const NULL: u32 = 0x6c6c756e
const TRUE: u32 = 0x65757274
const FALS: u32 = 0x736c6166

/** Deeper values are left to JavaScript: the stack of a module is small. */
const MAX_DEPTH = 64

export function skipBlanks(at: usize): usize {
  while (isBlank(load<u8>(at))) at++
  return at
}

function isBlank(byte: u32): bool {
  return byte === SPACE || byte === TAB || byte === RETURN
}

export function skipValue(at: usize, depth: i32): usize {
  const first = load<u8>(at)
  if (first === QUOTE) return skipString(at + 1)
  if (first === MINUS || isDigit(first)) return skipNumber(at)
  if (first === OPEN_BRACE) return depth < MAX_DEPTH ? skipObject(at + 1, depth + 1) : 0
  if (first === OPEN_BRACKET) return depth < MAX_DEPTH ? skipList(at + 1, depth + 1) : 0
  const word = load<u32>(at)
  if (word === NULL || word === TRUE) return at + 4
  return word === FALS && load<u8>(at + 4) === LOWER_E ? at + 5 : 0
}

function skipObject(at: usize, depth: i32): usize {
  at = skipBlanks(at)
  if (load<u8>(at) === CLOSE_BRACE) return at + 1
  let mark: i32 = COMMA
  while (mark === COMMA) {
    if (load<u8>(at) !== QUOTE) return 0
    at = skipString(at + 1)
    if (!at) return 0
    at = skipBlanks(at)
    if (load<u8>(at) !== COLON) return 0
    at = skipValue(skipBlanks(at + 1), depth)
    if (!at) return 0
    at = skipBlanks(at)
    mark = load<u8>(at++)
    if (mark === COMMA) at = skipBlanks(at)
  }
  return mark === CLOSE_BRACE ? at : 0
}

function skipList(at: usize, depth: i32): usize {
  at = skipBlanks(at)
  if (load<u8>(at) === CLOSE_BRACKET) return at + 1
  let mark: i32 = COMMA
  while (mark === COMMA) {
    at = skipValue(at, depth)
    if (!at) return 0
    at = skipBlanks(at)
    mark = load<u8>(at++)
    if (mark === COMMA) at = skipBlanks(at)
  }
  return mark === CLOSE_BRACKET ? at : 0
}

/** `at` is the address after the opening quote. */
function skipString(at: usize): usize {
  at = findMark(at)
  while (load<u8>(at) === BACKSLASH) {
    at = skipEscape(at + 1)
    if (!at) return 0
    at = findMark(at)
  }
  return load<u8>(at) === QUOTE ? at + 1 : 0
}

/** Returns the address of the first quote, backslash or control character. */
function findMark(at: usize): usize {
  let marks = marksIn(at)
  while (!marks) {
    at += BLOCK
    marks = marksIn(at)
  }
  return at + ctz(marks)
}

function marksIn(at: usize): i32 {
  const block = v128.load(at)
  const quotes = i8x16.eq(block, i8x16.splat(QUOTE as i8))
  const escapes = i8x16.eq(block, i8x16.splat(BACKSLASH as i8))
  const controls = i8x16.lt_u(block, i8x16.splat(SPACE as i8))
  return i8x16.bitmask(v128.or(v128.or(quotes, escapes), controls))
}

/** `at` is the address after the backslash. */
function skipEscape(at: usize): usize {
  switch (load<u8>(at) as i32) {
    case QUOTE:
    case BACKSLASH:
    case SLASH:
    case LOWER_B:
    case LOWER_F:
    case LOWER_N:
    case LOWER_R:
    case LOWER_T:
      return at + 1
    case LOWER_U:
      return skipUnicode(at + 1)
    default:
      return 0
  }
}

/** Half of a surrogate pair is no character: JavaScript rejects the line. */
function skipUnicode(at: usize): usize {
  const unit = readHex(at)
  if (unit < 0) return 0
  if (unit >> 11 !== 0x1b) return at + 4
  const isFirst = unit < 0xdc00
  if (!isFirst || load<u8>(at + 4) !== BACKSLASH || load<u8>(at + 5) !== LOWER_U) return 0
  return readHex(at + 6) >> 10 === 0x37 ? at + 10 : 0
}

function skipNumber(at: usize): usize {
  if (load<u8>(at) === MINUS) at++
  if (load<u8>(at) === ZERO) at++
  else {
    at = skipDigits(at)
    if (!at) return 0
  }
  if (load<u8>(at) === POINT) {
    at = skipDigits(at + 1)
    if (!at) return 0
  }
  if ((load<u8>(at) | 0x20) !== LOWER_E) return at
  at++
  if (load<u8>(at) === PLUS || load<u8>(at) === MINUS) at++
  return skipDigits(at)
}

/** At least one digit is needed. */
function skipDigits(at: usize): usize {
  if (!isDigit(load<u8>(at))) return 0
  do at++
  while (isDigit(load<u8>(at)))
  return at
}

function isDigit(byte: u32): bool {
  return byte - ZERO <= 9
}
