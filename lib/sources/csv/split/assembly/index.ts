/**
 * Splits the bytes of a CSV file into records. This is AssemblyScript, which `npm run build:wasm` compiles to
 * WebAssembly with SIMD. It stops at the first record that is malformed or not complete: csv-splitter.ts
 * decides about it. A test compares the two.
 */

const LINE_FEED = 0x0a
const RETURN = 0x0d
const BLOCK: usize = 16

export const MAX_RECORDS: i32 = 4096
export const INPUT_BYTES: i32 = 256 * 1024

/** Three numbers for each record: where it starts and ends at INPUT, and the line ends before it. */
export const TABLE: usize = memory.data(4096 * 12, 16)
/** A block longer, because whole blocks are read. */
export const INPUT: usize = memory.data(256 * 1024 + 16, 16)

/** Where the record starts that follows the last one in the table. */
export let next: i32 = 0

/** The line ends of the records in the table, those within quotes included. */
export let lineEnds: i32 = 0
/** How many records in the table are blank lines. */
export let blanks: i32 = 0

/**
 * Puts the records into TABLE that are complete between two places of INPUT, and returns how many there are.
 * @param from where a record begins
 * @param quote a line feed if fields are never quoted
 */
export function split(from: i32, to: i32, delimiter: i32, quote: i32): i32 {
  const end = INPUT + to
  let start = INPUT + from
  let count: i32 = 0
  lineEnds = 0
  blanks = 0
  for (let entry = TABLE; count < MAX_RECORDS; count++, entry += 12) {
    const linesBefore = lineEnds
    const stop = findEnd(start, end, delimiter, quote)
    if (!stop) {
      lineEnds = linesBefore
      break
    }
    store<u32>(entry, (start - INPUT) as u32)
    store<u32>(entry, (stop - INPUT) as u32, 4)
    store<u32>(entry, linesBefore as u32, 8)
    lineEnds++
    if (stop === start) blanks++
    const isPair = load<u8>(stop) === RETURN && load<u8>(stop + 1) === LINE_FEED
    start = stop + (isPair ? 2 : 1)
  }
  next = (start - INPUT) as i32
  return count
}

/** Returns the address of the line end of the record that begins at `start`; 0 for one that is not taken. */
function findEnd(start: usize, end: usize, delimiter: i32, quote: i32): usize {
  for (let at = findMark(start, end, quote); at !== 0; at = findMark(at, end, quote)) {
    const mark: i32 = load<u8>(at)
    if (mark === LINE_FEED) return at
    if (mark === RETURN) return at + 1 === end ? 0 : at // a line feed may follow
    if (at > start && (load<u8>(at - 1) as i32) !== delimiter) break
    at = skipQuoted(at + 1, end, delimiter, quote)
    if (at === 0) break
  }
  return 0
}

/** Returns the address after the closing quote; 0 if it is missing, or has text after it. */
function skipQuoted(from: usize, end: usize, delimiter: i32, quote: i32): usize {
  for (let at = findMark(from, end, quote); at !== 0 && at + 1 < end; at = findMark(at, end, quote)) {
    const mark: i32 = load<u8>(at)
    const after: i32 = load<u8>(at + 1)
    at++
    if (mark !== quote) {
      if (mark === RETURN && after === LINE_FEED) at++
      lineEnds++
    } else if (after === quote) at++
    else return after === delimiter || after === LINE_FEED || after === RETURN ? at : 0
  }
  return 0
}

/** Returns the address of the first quote or line end before `end`, or 0. */
function findMark(at: usize, end: usize, quote: i32): usize {
  const feeds = i8x16.splat(LINE_FEED as i8)
  const returns = i8x16.splat(RETURN as i8)
  const quotes = i8x16.splat(quote as i8)
  for (; at < end; at += BLOCK) {
    const block = v128.load(at)
    const lines = v128.or(i8x16.eq(block, feeds), i8x16.eq(block, returns))
    const found = i8x16.bitmask(v128.or(lines, i8x16.eq(block, quotes)))
    if (found) {
      const mark = at + ctz(found)
      return mark < end ? mark : 0
    }
  }
  return 0
}
