/**
 * Splits the bytes of a CSV file into records. This is AssemblyScript, which `npm run build:wasm` compiles to
 * WebAssembly with SIMD. It stops at the first record that is malformed or not complete: csv-splitter.ts
 * decides about it. A test compares the two.
 */

import { LINE_FEED, RETURN } from '../../../../values/text/ascii'

/** How many bytes are looked at together: each is a bit of a number. */
const BLOCK: usize = 64

export const MAX_RECORDS: i32 = 4096
export const INPUT_BYTES: i32 = 256 * 1024

/** Three numbers for each record: where it starts and ends at INPUT, and the line ends before it. */
export const TABLE: usize = memory.data(4096 * 12, 16)
/** A block longer, because whole blocks are read. */
export const INPUT: usize = memory.data(256 * 1024 + 64, 16)

/** Where the record starts that follows the last one in the table. */
export let next: i32 = 0

/** The line ends of the records in the table, those within quotes included. */
export let lineEnds: i32 = 0
/** How many records in the table are blank lines. */
export let blanks: i32 = 0

/**
 * Puts the records into TABLE that are complete between two places of INPUT, and returns how many there are.
 * A quote inside a quoted field is written twice, which looks like the end of one quoted field and the start
 * of another: so each quote starts or ends one, and nothing has to be known of fields.
 * @param from where a record begins
 * @param quote a line feed if fields are never quoted
 */
export function split(from: i32, to: i32, delimiter: i32, quote: i32): i32 {
  const end = INPUT + to
  let start = INPUT + from
  let count: i32 = 0
  let linesBefore: i32 = 0
  lineEnds = 0
  blanks = 0
  /** All bits, if the block begins within quotes. */
  let isWithin: u64 = 0
  // what the byte before the block is, as the lowest bit
  let isReturn: u64 = 0
  let isClose: u64 = 0
  /** A quote may follow it that starts a field. */
  let mayOpen: u64 = 1
  for (let at = start; at < end; at += BLOCK) {
    const ahead = end - at
    const known: u64 = ahead < BLOCK ? ((1 as u64) << ahead) - 1 : u64.MAX_VALUE
    const feeds = bitsOf(at, LINE_FEED) & known
    const returns = bitsOf(at, RETURN) & known
    const quotes = quote === LINE_FEED ? 0 : bitsOf(at, quote) & known
    if (!(feeds | returns | quotes | isClose)) {
      isReturn = 0
      mayOpen = (load<u8>(at + BLOCK - 1) as i32) === delimiter ? 1 : 0
      continue
    }
    const ends = feeds | returns | (bitsOf(at, delimiter) & known)
    const within = parities(quotes) ^ isWithin
    const opens = quotes & within
    const closes = quotes & ~within
    const wrongOpens = opens & ~(((ends | closes) << 1) | mayOpen)
    const wrong = wrongOpens | (((closes << 1) | isClose) & ~(ends | quotes) & known)
    const pairs = feeds & ((returns << 1) | isReturn)
    let lines = (feeds | returns) & ~pairs
    if (wrong) lines &= ((1 as u64) << ctz(wrong)) - 1
    for (; lines; lines &= lines - 1) {
      const bit = ctz(lines)
      if ((within >> bit) & 1) {
        lineEnds++
        continue
      }
      const stop = at + (bit as usize)
      const mayBePair = ((returns >> bit) & 1) !== 0
      if (count === MAX_RECORDS || (mayBePair && stop + 1 === end)) break
      const entry = TABLE + 12 * (count as usize)
      store<u32>(entry, (start - INPUT) as u32)
      store<u32>(entry, (stop - INPUT) as u32, 4)
      store<u32>(entry, linesBefore as u32, 8)
      count++
      linesBefore = ++lineEnds
      if (stop === start) blanks++
      start = stop + (mayBePair && load<u8>(stop + 1) === LINE_FEED ? 2 : 1)
    }
    if (wrong | lines) break
    isWithin = 0 - (within >> 63)
    isReturn = returns >> 63
    isClose = closes >> 63
    mayOpen = (ends | closes) >> 63
  }
  lineEnds = linesBefore
  next = (start - INPUT) as i32
  return count
}

/** Returns which of the bytes of a block have a value, the first one as the lowest bit. */
function bitsOf(at: usize, value: i32): u64 {
  const values = i8x16.splat(value as i8)
  const a = i8x16.bitmask(i8x16.eq(v128.load(at), values)) as u64
  const b = i8x16.bitmask(i8x16.eq(v128.load(at, 16), values)) as u64
  const c = i8x16.bitmask(i8x16.eq(v128.load(at, 32), values)) as u64
  const d = i8x16.bitmask(i8x16.eq(v128.load(at, 48), values)) as u64
  return a | (b << 16) | (c << 32) | (d << 48)
}

/** Returns for each bit whether an odd number of bits is set, from the lowest one to it. */
function parities(bits: u64): u64 {
  bits ^= bits << 1
  bits ^= bits << 2
  bits ^= bits << 4
  bits ^= bits << 8
  bits ^= bits << 16
  return bits ^ (bits << 32)
}
