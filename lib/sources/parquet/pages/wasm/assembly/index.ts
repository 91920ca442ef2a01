/**
 * Reads integers of the pages of Parquet files: runs of one value, and packed bits. This is AssemblyScript,
 * which `npm run build:wasm` compiles to WebAssembly. It does the same as hybrid.ts, which reads what is
 * larger than this memory. A test compares the two.
 *
 * The caller puts the bytes at INPUT, and finds integers at OUTPUT.
 */

export const MAX_VALUES: i32 = 1024 * 1024
export const INPUT_BYTES: i32 = 1024 * 1024

/** A word longer, because whole words are read. */
export const INPUT: usize = memory.data(1024 * 1024 + 8, 16)
export const OUTPUT: usize = memory.data(1024 * 1024 * 4, 16)
const LEVELS: usize = memory.data(1024 * 1024, 16)

/** What is wrong with the bytes. The numbers are those of FAULTS in wasm-hybrid.ts. */
const NOTHING: i32 = 0
const ENDS_EARLY: i32 = 1
const EMPTY_RUN: i32 = 2
const TOO_HIGH: i32 = 3

/** How many of the positions read last are those of values. */
export let present: i32 = 0

/**
 * Reads integers of `width` bits into `bytesEach` bytes, which hold the highest one. Returns what is wrong.
 * @param most the highest integer
 */
export function readIndexes(length: i32, width: i32, count: i32, most: i32, bytesEach: i32): i32 {
  if (bytesEach === 1) return read<u8>(length, width, count, most, OUTPUT)
  if (bytesEach === 2) return read<u16>(length, width, count, most, OUTPUT)
  return read<u32>(length, width, count, most, OUTPUT)
}

/**
 * Reads levels up to `most`, which is at most 255. The highest level has a value: it becomes the index of the
 * value, and each other level becomes -1. Returns what is wrong.
 */
export function readPositions(length: i32, width: i32, count: i32, most: i32): i32 {
  const fault = read<u8>(length, width, count, most, LEVELS)
  if (fault) return fault
  let next: i32 = 0
  for (let entry: usize = 0; entry < (count as usize); entry++) {
    const isValue: i32 = load<u8>(LEVELS + entry) === most ? 1 : 0
    store<i32>(OUTPUT + (entry << 2), isValue ? next : -1)
    next += isValue
  }
  present = next
  return NOTHING
}

function read<Item>(length: i32, width: i32, count: i32, most: i32, output: usize): i32 {
  const end = INPUT + length
  const outputEnd = output + (count as usize) * sizeof<Item>()
  let at = INPUT
  let out = output
  let isTooHigh = false
  while (out < outputEnd) {
    let head: u32 = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= end) return ENDS_EARLY
      const byte: u32 = load<u8>(at++)
      head |= (byte & 0x7f) << shift
      if (byte < 0x80 || shift === 28) break
    }
    const left = ((outputEnd - out) / sizeof<Item>()) as u64
    if (head & 1) {
      const groups = (head >>> 1) as u64
      const packed = min<u64>(groups * 8, left)
      if (packed === 0) return EMPTY_RUN
      if ((packed * width + 7) / 8 > ((end - at) as u64)) return ENDS_EARLY
      if (unpack<Item>(at, width, packed as usize, most, out)) isTooHigh = true
      out += (packed as usize) * sizeof<Item>()
      at += min<u64>(groups * width, (end - at) as u64) as usize
    } else {
      let value: u32 = 0
      for (let shift = 0; shift < width; shift += 8) {
        if (at >= end) return ENDS_EARLY
        value |= (load<u8>(at++) as u32) << shift
      }
      const run = min<u64>((head >>> 1) as u64, left) as usize
      if (run > 0 && value > (most as u32)) isTooHigh = true
      for (const runEnd = out + run * sizeof<Item>(); out < runEnd; out += sizeof<Item>()) {
        store<Item>(out, value as Item)
      }
    }
  }
  return isTooHigh ? TOO_HIGH : NOTHING
}

/** Reads packed integers. Returns true if any is above `most`. */
function unpack<Item>(at: usize, width: i32, count: usize, most: i32, out: usize): bool {
  const mask: u64 = ((1 as u64) << width) - 1
  let rest: i64 = 0
  const bits = count * width
  for (let bit: usize = 0; bit < bits; bit += width, out += sizeof<Item>()) {
    const value = (load<u64>(at + (bit >> 3)) >> ((bit & 7) as u64)) & mask
    rest |= (most as i64) - (value as i64)
    store<Item>(out, value as Item)
  }
  return rest < 0
}
