/**
 * Finds the lines of an NDJSON file that are objects with known keys, and where their values are. This is
 * AssemblyScript, which `npm run build:wasm` compiles to WebAssembly with SIMD. It stops at any other line:
 * JavaScript parses that one, and adds its keys. A test compares the two.
 *
 * The caller puts bytes at INPUT, with a line feed after them, and finds lines in TABLE.
 */

import { CLOSE_BRACE, COLON, COMMA, LINE_FEED, OPEN_BRACE, QUOTE } from '../../../../values/text/ascii'
import { skipBlanks, skipValue } from './values'

/** The most keys of a line: as many as a table may have columns. */
export const MAX_KEYS: i32 = 1600
/** The room for a key and the quote after it. */
export const KEY_BYTES: i32 = 64
export const INPUT_BYTES: i32 = 256 * 1024
export const TABLE_BYTES: i32 = 256 * 1024

/** The keys, each with the quote after it; and the length of each, with the quote. */
export const KEYS: usize = memory.data(1600 * 64 + 8, 16)
export const KEY_LENGTHS: usize = memory.data(1600)
/** For each key the one that came after it last, two bytes each. The first is the one that comes first. */
const FOLLOWERS: usize = memory.data(1601 * 2, 16)

/**
 * A line has an entry of so many bytes for each of its own bytes, at most, and some more. In a file of many
 * keys a line with few of them is parsed instead: its entry would be nothing but zeros.
 */
const ENTRY_SHARE: usize = 8
const SMALL_ENTRY: usize = 512

/** For each line the numbers that `JsonBlock.places` has. */
export const TABLE: usize = memory.data(256 * 1024, 16)
/** A block longer, because whole blocks are read. */
export const INPUT: usize = memory.data(256 * 1024 + 32, 16)

/** Where the line starts that follows the last one that was read. */
export let next: i32 = 0
/** The lines that the last call of `scan` has read, with the blank ones. */
export let lines: i32 = 0

/**
 * Puts the lines into TABLE that are objects with the first `keys` keys, and returns how many there are.
 * @param from where a line begins at INPUT
 * @param to where the bytes end
 * @param isWhole the last line ends there; otherwise it may be cut
 * @param base is added to all indexes of TABLE
 */
export function scan(from: i32, to: i32, isWhole: bool, keys: i32, base: i32): i32 {
  const end = INPUT + to
  const entryBytes = (8 + keys * 8) as usize
  const tableEnd = TABLE + TABLE_BYTES
  const offset = base - (INPUT as i32)
  let count: i32 = 0
  let entry = TABLE
  let start = INPUT + from
  lines = 0
  while (start < end && entry + entryBytes <= tableEnd) {
    let at = skipBlanks(start)
    if (load<u8>(at) !== LINE_FEED) {
      memory.fill(entry, 0, entryBytes)
      store<i32>(entry, (at as i32) + offset)
      at = scanObject(at, entry + 8, keys, offset)
      if (!at) break
      store<i32>(entry, (at as i32) + offset, 4)
      at = skipBlanks(at)
      if (load<u8>(at) !== LINE_FEED || (at === end && !isWhole)) break
      if (entryBytes > (at - start) * ENTRY_SHARE + SMALL_ENTRY) break
      entry += entryBytes
      count++
    } else if (at === end && !isWhole) break
    lines++
    start = at + 1
  }
  next = min((start - INPUT) as i32, to)
  return count
}

/** Puts the places of the values into a line's entry. Returns the address after the object, or 0. */
function scanObject(at: usize, places: usize, keys: i32, offset: i32): usize {
  if (load<u8>(at) !== OPEN_BRACE) return 0
  at = skipBlanks(at + 1)
  if (load<u8>(at) === CLOSE_BRACE) return at + 1
  let follower = FOLLOWERS
  let mark: i32 = COMMA
  while (mark === COMMA) {
    if (load<u8>(at) !== QUOTE) return 0
    const key = findKey(at + 1, follower, keys)
    if (key < 0) return 0
    at = skipBlanks(at + 1 + load<u8>(KEY_LENGTHS + key))
    if (load<u8>(at) !== COLON) return 0
    const start = skipBlanks(at + 1)
    at = skipValue(start, 0)
    if (!at) return 0
    // of a repeated key the last value counts
    store<i32>(places + key * 8, (start as i32) + offset)
    store<i32>(places + key * 8, (at as i32) + offset, 4)
    at = skipBlanks(at)
    mark = load<u8>(at++)
    if (mark === COMMA) at = skipBlanks(at)
    follower = FOLLOWERS + ((key + 1) << 1)
  }
  return mark === CLOSE_BRACE ? at : 0
}

/**
 * Returns the key that begins at an address, or -1. The one that came last time is tried first, because lines
 * of one file have their keys in one order.
 */
function findKey(at: usize, follower: usize, keys: i32): i32 {
  let key: i32 = load<u16>(follower)
  if (key < keys && isKey(at, key)) return key
  for (let tried = 0; tried < keys; tried++) {
    if (++key >= keys) key = 0
    if (!isKey(at, key)) continue
    store<u16>(follower, key as u16)
    return key
  }
  return -1
}

/** Compares eight bytes at a time. */
function isKey(at: usize, key: i32): bool {
  const slot = KEYS + key * KEY_BYTES
  const length: usize = load<u8>(KEY_LENGTHS + key)
  let done: usize = 0
  for (; done + 8 <= length; done += 8) {
    if (load<u64>(at + done) !== load<u64>(slot + done)) return false
  }
  if (done === length) return true
  const difference = load<u64>(at + done) ^ load<u64>(slot + done)
  return difference << ((64 - ((length - done) << 3)) as u64) === 0
}
